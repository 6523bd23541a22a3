import assert from "node:assert/strict";
import { uploadObject } from "../../../core/objects/upload.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { memoryLog, patternBytes } from "../../../testing/doubles.ts";
import { testSession } from "../../kit/object_session.ts";
import { base64, BIG, code, hex, KEY, upload } from "./_upload.ts";

Deno.test("S8 uploadObject() reads back where the store takes wrong checksums", async () => {
  const store = memoryStore({ checksums: false });
  const session = testSession(store);
  for (const bytes of [patternBytes(100), BIG]) {
    const object = await uploadObject(session, { ...upload(bytes), key: `k${bytes.length}` });
    assert.equal(object.guarantee, "read-back");
    assert.ok(object.etag);
  }
});

Deno.test("S8 uploadObject() never counts the echo of a liar", async () => {
  // Echoes whatever was claimed, and keeps other bytes.
  const store = memoryStore({
    checksums: false,
    store: ({ key }, bytes) => key === KEY ? bytes.map((byte) => byte ^ 1) : bytes,
    answer: (_call, result) => ({ ...result, sha256: base64(patternBytes(100)) }),
  });
  await assert.rejects(uploadObject(testSession(store), upload(patternBytes(100))), code("s3/mismatch"));
});

Deno.test("S18 uploadObject() reads back when a trusted store echoes no checksum", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await session.trust.report(session.signal);
  store.hooks = { answer: (_call, result) => ({ ...result, sha256: null }) };
  for (const bytes of [patternBytes(100), BIG]) {
    const object = await uploadObject(session, { ...upload(bytes), key: `k${bytes.length}` });
    assert.equal(object.guarantee, "read-back");
  }
});

Deno.test("uploadObject() asks again where the answer to Complete has no ETag", async () => {
  const store = memoryStore();
  store.hooks = {
    answer: (call, result) => call.name === "completeUpload" ? { ...result, etag: null } : result,
  };
  const object = await uploadObject(testSession(store), upload(BIG));
  assert.equal(object.etag, store.objects.get(KEY)!.etag);
  assert.equal(object.guarantee, "server-checksum");
});

Deno.test("uploadObject() with verify none records that nothing was shown", async () => {
  for (const bytes of [patternBytes(9), BIG]) {
    const object = await uploadObject(testSession(memoryStore(), { verify: "none" }), upload(bytes));
    assert.equal(object.guarantee, "none");
    assert.ok(object.etag);
  }
});

Deno.test("S18 uploadObject() catches an object of another size, also an empty one", async () => {
  for (const [length, stored] of [[0, 3], [9, 8], [9, 10]]) {
    const store = memoryStore({
      checksums: false,
      store: ({ key }, bytes) => key === KEY ? patternBytes(stored) : bytes,
    });
    await assert.rejects(uploadObject(testSession(store), upload(patternBytes(length))), code("s3/mismatch"));
  }
});

Deno.test("uploadObject() with verify read-back reads every byte of a trusted store too", async () => {
  const store = memoryStore();
  const object = await uploadObject(testSession(store, { verify: "read-back" }), upload(BIG));
  assert.equal(object.guarantee, "read-back");
  assert.ok(store.calls.some((call) => call.name === "get"));
});

/** A store of which the readings of the given numbers come damaged. */
const damagedAt = (...numbers: number[]) => {
  let reading = 0;
  return memoryStore({
    read: (_call, bytes) => numbers.includes(++reading) ? bytes.map((byte) => byte ^ 1) : bytes,
  });
};

Deno.test("uploadObject() says that a reading differed, and believes two that are right behind it", async () => {
  const store = damagedAt(1);
  const log = memoryLog();
  const object = await uploadObject(testSession(store, { verify: "read-back", log }), upload(patternBytes(50)));
  assert.equal(object.guarantee, "read-back");
  assert.equal(store.calls.filter(({ name }) => name === "get").length, 3);
  assert.deepEqual(log.lines.filter(({ level }) => level === "warn").map(({ message }) => message), [
    `"s3://memory/${KEY}" was read back with other bytes: its SHA-256 is ${
      hex(patternBytes(50).map((byte) => byte ^ 1))
    }; it is read twice more, and both must be right`,
  ]);
});

Deno.test("uploadObject() refuses an object of which a second reading differs, whatever is between", async () => {
  for (const numbers of [[1, 2], [1, 3]]) {
    const session = testSession(damagedAt(...numbers), { verify: "read-back" });
    await assert.rejects(uploadObject(session, upload(patternBytes(50))), code("s3/mismatch"));
  }
});
