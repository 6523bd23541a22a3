import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { abortOurs } from "../../../core/objects/abort.ts";
import { choosePartSize } from "../../../core/objects/checksum.ts";
import { bytesSource } from "../../../core/objects/source.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { failure, type MemoryStore, memoryStore, type StoreCall } from "../../../testing/memory_object_store.ts";
import { instantClock, patternBytes } from "../../../testing/doubles.ts";
import { type MemoryUploads, memoryUploads, testSession } from "../../kit/object_session.ts";

const MIB = 2 ** 20;
const BIG = patternBytes(17 * MIB + 1);
const KEY = "backups/s/a.tif";
const SHA256 = createHash("sha256").update(BIG).digest("hex");
const request = (bytes: Uint8Array, incarnation = "i1") => ({
  key: KEY,
  source: bytesSource("a.tif", bytes),
  incarnation,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/**
 * Runs an upload that ends when `sent` parts are with the store, as with a killed process. Returns the numbers of the
 * parts that are not there: which go first is left open.
 */
async function killedAfter(
  sent: number,
  options: { store: MemoryStore; journal: MemoryUploads; bytes?: Uint8Array },
): Promise<number[]> {
  const { store, journal, bytes = BIG } = options;
  const stop = new AbortController();
  const session = testSession(store, { journal, signal: stop.signal, parallel: 1 });
  await session.trust.report(session.signal);
  let begun = 0;
  store.hooks = {
    before: (call) => {
      if (call.name === "uploadPart" && begun++ === sent) stop.abort(new Error("killed"));
    },
  };
  await assert.rejects(uploadObject(session, request(bytes)), /killed/);
  store.hooks = {};
  store.calls.length = 0;
  const [upload] = store.uploads.values();
  assert.equal(upload.parts.size, sent);
  return [1, 2, 3, 4].filter((number) => !upload.parts.has(number));
}

const sentParts = (store: MemoryStore) =>
  store.calls.filter((call) => call.name === "uploadPart").map((call) => call.part!).sort();

for (const checksums of [true, false]) {
  const by = checksums ? "checksum" : "MD5 ETag";

  Deno.test(`S9 uploadObject() after a kill sends only the parts whose ${by} is not there`, async () => {
    const store = memoryStore({ checksums });
    const journal = memoryUploads();
    const missing = await killedAfter(2, { store, journal });
    const object = await uploadObject(testSession(store, { journal }), request(BIG));
    assert.deepEqual(sentParts(store), missing);
    assert.equal(object.sha256, SHA256);
    assert.equal(object.guarantee, checksums ? "server-checksum" : "read-back");
    assert.deepEqual(store.objects.get(KEY)!.bytes, BIG);
    assert.equal(journal.rows.size, 0);
  });

  Deno.test(`S9 uploadObject() sends a listed part again when its ${by} differs from the local bytes`, async () => {
    const store = memoryStore({ checksums });
    const journal = memoryUploads();
    const missing = await killedAfter(3, { store, journal });
    const damaged = [1, 2, 3].find((number) => !missing.includes(number))!;
    const [begun] = store.uploads.values();
    const bytes = begun.parts.get(damaged)!.bytes.map((byte) => byte ^ 1);
    const listed = { bytes, etag: createHash("md5").update(bytes).digest("hex"), sha256: null as string | null };
    if (checksums) listed.sha256 = createHash("sha256").update(bytes).digest("base64");
    begun.parts.set(damaged, listed);
    const object = await uploadObject(testSession(store, { journal }), request(BIG));
    assert.deepEqual(sentParts(store), [...missing, damaged].sort());
    assert.deepEqual(store.objects.get(KEY)!.bytes, BIG);
    assert.equal(object.sha256, SHA256);
  });
}

Deno.test("S9 uploadObject() trusts no listed ETag that is not a proved MD5", async () => {
  const store = memoryStore({ checksums: false });
  const journal = memoryUploads();
  await killedAfter(2, { store, journal });
  const at = new Date(instantClock().time).toISOString();
  await journal.probes.set(store.identity, "part-md5-etag", false, at);
  await uploadObject(testSession(store, { journal }), request(BIG));
  assert.deepEqual(sentParts(store), [1, 2, 3, 4]);
});

Deno.test("uploadObject() goes on with the part size it began with", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const missing = await killedAfter(2, { store, journal });
  const object = await uploadObject(testSession(store, { journal, partSize: 8 * MIB }), request(BIG));
  assert.equal(object.partSize, 5 * MIB);
  assert.deepEqual(sentParts(store), missing);
});

Deno.test("S3 uploadObject() never takes up the upload of another incarnation", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  await killedAfter(2, { store, journal });
  await uploadObject(testSession(store, { journal }), request(BIG, "i2"));
  assert.deepEqual(sentParts(store), [1, 2, 3, 4]);
  assert.equal(store.uploads.size, 0);
});

Deno.test("S9 uploadObject() never ends an upload under the hash and time of bytes it had earlier", async () => {
  const changed = BIG.slice();
  changed[7] ^= 1;
  const later = Date.UTC(2026, 0, 2);
  for (const again of [request(changed), { ...request(BIG), mtimeMs: later }]) {
    const store = memoryStore();
    const journal = memoryUploads();
    await killedAfter(2, { store, journal });
    const object = await uploadObject(testSession(store, { journal }), again);
    const mtime = "mtimeMs" in again ? { mtime: new Date(later).toISOString() } : {};
    assert.deepEqual(store.objects.get(KEY)!.metadata, { sha256: object.sha256, ...mtime });
    assert.equal(object.sha256, again.sha256);
    assert.equal(store.uploads.size, 0, "the earlier one is given up");
    assert.equal(journal.rows.size, 0);
  }
});

Deno.test("uploadObject() begins anew when the store no longer has the upload", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  await killedAfter(2, { store, journal });
  store.uploads.clear();
  const object = await uploadObject(testSession(store, { journal }), request(BIG));
  assert.equal(object.sha256, SHA256);
  assert.deepEqual(sentParts(store), [1, 2, 3, 4]);
});

Deno.test("abortOurs() gives up uploads of ours, of one incarnation, of an age", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const clock = instantClock();
  await killedAfter(1, { store, journal });
  const session = testSession(store, { journal, clock });
  const foreign = await store.createUpload("elsewhere", { metadata: {} }, session.signal);
  assert.equal(await abortOurs(session, { incarnation: "other" }), 0);
  assert.equal(await abortOurs(session, { olderThanMs: 60_000 }), 0);
  clock.time += 60_000;
  assert.equal(await abortOurs(session, { incarnation: "i1", olderThanMs: 60_000 }), 1);
  assert.deepEqual([...store.uploads.keys()], [foreign]);
  assert.equal(journal.rows.size, 0);
});

Deno.test("abortOurs() repeats an abort while parts still arrive, and keeps the row of one that fails", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  await killedAfter(2, { store, journal });
  const [id, upload] = [...store.uploads][0];
  let late = 1;
  store.hooks = {
    after: (call) => {
      if (call.name === "abortUpload" && late-- > 0) store.uploads.set(id, upload);
    },
  };
  const session = testSession(store, { journal });
  store.hooks.before = (call) => {
    if (call.name === "abortUpload" && late === 1) throw failure("denied");
  };
  await assert.rejects(abortOurs(session), { code: "s3/denied" });
  assert.equal(journal.rows.size, 1);
  store.hooks.before = undefined;
  assert.equal(await abortOurs(session), 1);
  assert.equal(store.calls.filter((call) => call.name === "abortUpload").length, 3);
  assert.equal(store.uploads.size, 0);
});

Deno.test("S22 uploadObject() killed before or after any request ends well in the next run", async () => {
  const bytes = patternBytes(2 * choosePartSize(1, 1) + 7);
  for (const checksums of [true, false]) {
    let calls = Infinity;
    for (let number = 1; number <= calls; number++) {
      for (const when of ["before", "after"] as const) {
        const store = memoryStore({ checksums, completeIfAbsent: checksums });
        const journal = memoryUploads();
        const stop = new AbortController();
        const session = testSession(store, { journal, signal: stop.signal });
        await session.trust.report(session.signal);
        const begun = store.calls.length;
        const kill = (call: StoreCall) => {
          if (call.number === begun + number) stop.abort(new Error("killed"));
          if (stop.signal.aborted) throw failure("unreachable");
        };
        store.hooks = { [when]: kill };
        await uploadObject(session, request(bytes)).then(() => calls = number - 1, (error) => {
          assert.match(String(error), /killed/);
        });
        store.hooks = {};
        const object = await uploadObject(testSession(store, { journal }), request(bytes));
        const at = `${when} request ${number}`;
        assert.deepEqual(store.objects.get(KEY)!.bytes, bytes, at);
        assert.equal(object.guarantee, checksums ? "server-checksum" : "read-back", at);
        assert.equal(journal.rows.size, 0, at);
        // An upload whose id was lost with the process holds no parts, and so no bytes.
        for (const upload of store.uploads.values()) assert.equal(upload.parts.size, 0, at);
      }
    }
    assert.ok(calls >= 5 && calls < 20, `${calls} requests`);
  }
});
