import assert from "node:assert/strict";
import type { PipelineError } from "../../../core/errors.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { failure, memoryStore } from "../../../testing/memory_object_store.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";
import { BIG, code, KEY, upload } from "./_upload.ts";

Deno.test("uploadObject() judges an unclear Put by the object", async () => {
  for (const checksums of [true, false]) {
    const store = memoryStore({ checksums });
    const session = testSession(store);
    await session.trust.report(session.signal);
    let lost = 1;
    store.hooks = {
      after: (call) => {
        if (call.name === "put" && lost-- > 0) throw failure("unreachable", "connection dropped");
      },
    };
    const object = await uploadObject(session, upload(patternBytes(100)));
    assert.equal(object.guarantee, checksums ? "server-checksum" : "read-back");
    assert.equal(store.calls.filter((call) => call.name === "put" && call.key === KEY).length, 1);
  }
});

Deno.test("S9 uploadObject() judges an unclear Complete by the object", async () => {
  for (const checksums of [true, false]) {
    for (const kind of ["unreachable", "throttled", "bad-request"] as const) {
      const store = memoryStore({ checksums });
      const session = testSession(store);
      await session.trust.report(session.signal);
      store.hooks = {
        after: (call) => {
          if (call.name === "completeUpload") throw failure(kind, "connection dropped");
        },
      };
      const object = await uploadObject(session, upload(BIG));
      assert.equal(object.guarantee, checksums ? "server-checksum" : "read-back");
      assert.equal(object.existed, false);
      assert.deepEqual(store.objects.get(KEY)!.bytes, BIG);
    }
  }
});

Deno.test("S9 uploadObject() refuses an unclear Complete that left other bytes", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await session.trust.report(session.signal);
  store.hooks = {
    after: (call) => {
      if (call.name !== "completeUpload") return;
      const object = store.objects.get(KEY)!;
      store.objects.set(KEY, { ...object, bytes: object.bytes.map((byte) => byte ^ 1), sha256: null });
      throw failure("unreachable");
    },
  };
  await assert.rejects(uploadObject(session, upload(BIG)), code("s3/conflict"));
});

Deno.test("uploadObject() completes again when a Complete failed and made nothing", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await session.trust.report(session.signal);
  let failing = 2;
  store.hooks = {
    before: (call) => {
      if (call.name === "completeUpload" && failing-- > 0) throw failure("unreachable");
    },
  };
  const object = await uploadObject(session, upload(BIG));
  assert.equal(object.guarantee, "server-checksum");
});

Deno.test("uploadObject() survives throttling, drops and damage of parts", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await session.trust.report(session.signal);
  const kinds = ["throttled", "unreachable", "bad-digest", "throttled"] as const;
  let next = 0;
  store.hooks = {
    before: (call) => {
      if (call.name === "uploadPart" && next < kinds.length) throw failure(kinds[next++]);
    },
  };
  const object = await uploadObject(session, upload(BIG));
  assert.equal(object.guarantee, "server-checksum");
  assert.deepEqual(store.objects.get(KEY)!.bytes, BIG);
});

Deno.test("uploadObject() explains a store that stays away, and keeps the parts for the next run", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const session = testSession(store, { journal });
  await session.trust.report(session.signal);
  store.hooks = {
    before: (call) => {
      if (call.name === "uploadPart" && call.part === 3) throw failure("unreachable", "connection refused");
    },
  };
  await assert.rejects(uploadObject(session, upload(BIG)), (error) => {
    assert.ok(code("s3/unreachable")(error));
    assert.match((error as Error).message, /tried 5 times/);
    assert.equal((error as PipelineError).retry, "transient");
    return true;
  });
  assert.equal(journal.rows.size, 1);
  assert.equal(store.uploads.size, 1);
});
