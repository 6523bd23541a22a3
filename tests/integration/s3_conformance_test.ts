/** The same upload protocol against every server: the demo's endpoint must behave as the real ones do. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { compositeSha256 } from "../../core/objects/checksum.ts";
import { ObjectStoreError } from "../../core/objects/object_store.ts";
import { bytesSource } from "../../core/objects/source.ts";
import { uploadMany, uploadObject } from "../../core/objects/upload.ts";
import { recheckObjects } from "../../core/objects/recheck.ts";
import { abortOurs } from "../../core/objects/abort.ts";
import { storeClockOffset } from "../../core/objects/clock_skew.ts";
import { systemClock } from "../../core/io/clock.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { memoryUploads, testSession } from "../kit/object_session.ts";
import { serverTest } from "../kit/servers/servers.ts";

const MIB = 2 ** 20;
const never = new AbortController().signal;
const base64 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");
const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const kind = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof ObjectStoreError, String(error));
  assert.equal(error.kind, wanted, error.message);
  return true;
};

await serverTest("S8 the probe finds what the store enforces, and leaves nothing behind", {}, async (server) => {
  const bucket = await server.bucket();
  const store = await server.open(bucket);
  const session = testSession(store, { clock: systemClock });
  const { checksums, completeIfAbsent } = server.traits;
  assert.deepEqual(await session.trust.report(never), {
    "put-checksum": checksums,
    "put-if-absent": true,
    "part-checksum": checksums,
    "part-md5-etag": true,
    "complete-checksum": checksums,
    "complete-if-absent": completeIfAbsent,
  });
  assert.deepEqual(await Array.fromAsync(store.list("", never)), []);
  assert.deepEqual(await server.openUploads(bucket), []);
});

await serverTest("uploads of any name arrive whole and can be listed and rechecked", {}, async (server) => {
  const store = await server.open(await server.bucket());
  const session = testSession(store, { clock: systemClock });
  const paths = [
    "plain.tif",
    "with space.tif",
    "plus+percent%41.tif",
    "new\nline",
    "ümlaut/日本語.qptiff",
    "dir/",
    "empty",
    "a&b<c>\"d'.txt",
    "\u{1f9ec}.zarr/0/0/0",
  ];
  const bodies = new Map(paths.map((path, n) => [path, path === "empty" || path === "dir/" ? 0 : 1000 * n + 17]));
  const requests = paths.map((path) => ({
    key: `data/study1/${path}`,
    source: bytesSource(path, patternBytes(bodies.get(path)!)),
    incarnation: "i",
  }));
  const evidence = [];
  for await (const outcome of uploadMany(session, requests)) {
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.error.message);
    const { key, size, sha256, uri, guarantee, etag, versionId, at } = outcome.object;
    const path = key.slice("data/study1/".length);
    assert.equal(guarantee, server.traits.checksums ? "server-checksum" : "read-back");
    assert.equal(sha256, hex(patternBytes(bodies.get(path)!)));
    evidence.push({
      path,
      size,
      sha256,
      place: "s3",
      placeUuid: store.uri,
      uri,
      level: "proved" as const,
      guarantee,
      at,
      etag: etag!,
      versionId: versionId ?? undefined,
    });
  }
  const listed = await Array.fromAsync(store.list("data/study1/", never));
  assert.deepEqual(listed.map(({ key }) => key.slice("data/study1/".length)).sort(), [...paths].sort());
  const result = await recheckObjects(session, { prefix: "data/study1/", evidence });
  assert.deepEqual(result, { confirmed: paths.length, problems: [] });
  for (const row of evidence.filter(({ size }) => size > 0)) {
    const bytes = await store.get(`data/study1/${row.path}`, { start: 0, end: row.size, total: row.size }, never);
    assert.equal(hex(bytes), row.sha256);
  }
});

await serverTest("S9 an object in parts has its composite, its metadata and its bytes", {}, async (server) => {
  const bucket = await server.bucket();
  const store = await server.open(bucket);
  const session = testSession(store, { clock: systemClock });
  const bytes = patternBytes(11 * MIB + 3);
  const mtimeMs = Date.UTC(2025, 5, 6, 7, 8, 9, 10);
  const source = bytesSource("big", bytes);
  const object = await uploadObject(session, { key: "b/big", source, incarnation: "i", sha256: hex(bytes), mtimeMs });
  const parts = [0, 5, 10].map((at) => base64(bytes.subarray(at * MIB, (at + 5) * MIB)));
  assert.equal(object.composite, compositeSha256(parts));
  assert.equal(object.guarantee, server.traits.checksums ? "server-checksum" : "read-back");
  const head = await store.head("b/big", never);
  assert.deepEqual(head!.metadata, { sha256: hex(bytes), mtime: "2025-06-06T07:08:09.010Z" });
  assert.equal(head!.sha256, server.traits.checksums ? compositeSha256(parts) : null);
  assert.equal(head!.etag, object.etag);
  assert.equal(head!.size, bytes.length);
  const middle = await store.get("b/big", { start: 5 * MIB - 2, end: 5 * MIB + 2, total: bytes.length }, never);
  assert.deepEqual(middle, bytes.slice(5 * MIB - 2, 5 * MIB + 2));
  await assert.rejects(store.get("b/big", { start: 0, end: 4, total: 99 }, never), kind("bad-digest"));
  assert.deepEqual(await server.openUploads(bucket), []);
});

await serverTest("S9 an upload that was killed goes on from its listed parts", {}, async (server) => {
  const bucket = await server.bucket();
  const journal = memoryUploads();
  const bytes = patternBytes(17 * MIB);
  const request = { key: "b/big", source: bytesSource("big", bytes), incarnation: "i", sha256: hex(bytes) };
  const stop = new AbortController();
  const first = await server.open(bucket);
  const killed = testSession(first, { journal, signal: stop.signal, clock: systemClock, parallel: 1 });
  await killed.trust.report(never);
  let sent = 0;
  const uploadPart = first.uploadPart.bind(first);
  first.uploadPart = async (...args) => {
    const echo = await uploadPart(...args);
    if (++sent === 2) stop.abort(new Error("killed"));
    return echo;
  };
  await assert.rejects(uploadObject(killed, request), /killed/);

  const second = await server.open(bucket);
  const again: number[] = [];
  const rest = second.uploadPart.bind(second);
  second.uploadPart = (key, id, part, signal) => {
    again.push(part.number);
    return rest(key, id, part, signal);
  };
  const object = await uploadObject(testSession(second, { journal, clock: systemClock }), request);
  assert.ok(again.length <= 2, `parts ${again} were sent again`);
  assert.equal(object.sha256, hex(bytes));
  assert.equal(object.guarantee, server.traits.checksums ? "server-checksum" : "read-back");
  assert.deepEqual(await server.openUploads(bucket), []);
});

await serverTest("an upload that is given up frees its parts", {}, async (server) => {
  const bucket = await server.bucket();
  const store = await server.open(bucket);
  const session = testSession(store, { clock: systemClock });
  const uploadId = await store.createUpload("b/x", { metadata: {} }, never);
  const body = patternBytes(5 * MIB);
  await store.uploadPart("b/x", uploadId, { number: 1, body, sha256: base64(body) }, never);
  const startedAt = new Date().toISOString();
  const content = { incarnation: "i", sha256: null, mtime: null };
  const row = {
    store: store.identity,
    key: "b/x",
    uploadId,
    partSize: 5 * MIB,
    startedAt,
    usedAt: startedAt,
    ...content,
  };
  await session.uploads.put(row);
  assert.deepEqual(await server.openUploads(bucket), ["b/x"]);
  assert.equal(await abortOurs(session), 1);
  assert.deepEqual(await server.openUploads(bucket), []);
  await assert.rejects(Array.fromAsync(store.listParts("b/x", uploadId, never)), kind("not-found"));
});

for (const size of [100, 11 * MIB]) {
  await serverTest(`an object of ${size} bytes that is there is never overwritten`, {}, async (server) => {
    const bucket = await server.bucket();
    const store = await server.open(bucket);
    const session = testSession(store, { clock: systemClock });
    const ours = patternBytes(size);
    const request = (bytes: Uint8Array) => ({ key: "b/a", source: bytesSource("a", bytes), incarnation: "i" });
    const first = await uploadObject(session, request(ours));
    const again = await uploadObject(session, request(ours));
    assert.equal(first.existed, false);
    assert.equal(again.existed, true);
    await assert.rejects(uploadObject(session, request(patternBytes(size, 2))), { code: "s3/conflict" });
    assert.equal((await store.head("b/a", never))!.etag, first.etag);
    assert.deepEqual(await server.openUploads(bucket), []);
  });
}

await serverTest("failures have their kinds", {}, async (server) => {
  const bucket = await server.bucket();
  const store = await server.open(bucket);
  assert.equal(await store.head("absent", never), undefined);
  await assert.rejects(store.get("absent", { start: 0, end: 1 }, never), kind("not-found"));
  const other = await server.open("labferry-no-such-bucket");
  await assert.rejects(other.headBucket(never), kind("no-bucket"));
  const options = { metadata: {}, sha256: base64(patternBytes(3)) };
  await assert.rejects(other.put("k", patternBytes(3), options, never), kind("no-bucket"));
  await assert.rejects(Array.fromAsync(other.list("", never)), kind("no-bucket"));
  await assert.rejects(Array.fromAsync(store.listParts("k", "no-such-upload", never)), kind("not-found"));
  const stop = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(store.head("absent", stop), /stopped/);
});

await serverTest("listings go on over pages, from any key", {}, async (server) => {
  const store = await server.open(await server.bucket());
  const session = testSession(store, { clock: systemClock, parallel: 16, verify: "none" });
  const keys = Array.from({ length: 1050 }, (_, n) => `p/${String(n).padStart(5, "0")}`);
  const requests = keys.map((key) => ({ key, source: bytesSource(key, new Uint8Array(1)), incarnation: "i" }));
  for await (const outcome of uploadMany(session, requests)) assert.ok(outcome.ok);
  const all = await Array.fromAsync(store.list("p/", never));
  assert.deepEqual(all.map(({ key }) => key), keys);
  const rest = await Array.fromAsync(store.list("p/", never, { startAfter: "p/01039\u{10fffd}" }));
  assert.deepEqual(rest.map(({ key }) => key), keys.slice(1040));
  assert.deepEqual(await Array.fromAsync(store.list("q/", never)), []);
});

await serverTest("the store tells the time", {}, async (server) => {
  const session = testSession(await server.open(await server.bucket()), { clock: systemClock });
  assert.ok(Math.abs((await storeClockOffset(session))!) <= 2000);
});
