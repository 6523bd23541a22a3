import assert from "node:assert/strict";
import type { PipelineError } from "../../../core/errors.ts";
import { compositeSha256, EMPTY_SHA256 } from "../../../core/objects/checksum.ts";
import { uploadMany, uploadObject } from "../../../core/objects/upload.ts";
import { failure, memoryStore } from "../../../testing/memory_object_store.ts";
import { instantClock, patternBytes } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";
import { base64, BIG, code, hex, KEY, MIB, upload } from "./_upload.ts";

Deno.test("uploadObject() sends a small file in one request that carries everything", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await session.trust.report(session.signal);
  store.calls.length = 0;
  const bytes = patternBytes(1000);
  const mtimeMs = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
  const object = await uploadObject(session, upload(bytes, { sha256: hex(bytes), mtimeMs }));
  assert.deepEqual(store.calls.map((call) => call.name), ["put"]);
  assert.equal(object.guarantee, "server-checksum");
  assert.equal(object.sha256, hex(bytes));
  assert.equal(object.uri, `s3://memory/${KEY}`);
  assert.equal(object.existed, false);
  assert.equal(object.composite, undefined);
  assert.deepEqual(store.objects.get(KEY)!.metadata, { sha256: hex(bytes), mtime: "2025-01-02T03:04:05.678Z" });
  assert.deepEqual(store.objects.get(KEY)!.bytes, bytes);
});

Deno.test("uploadObject() uploads an empty file and an empty folder", async () => {
  for (const verify of ["auto", "read-back"] as const) {
    const store = memoryStore();
    const object = await uploadObject(testSession(store, { verify }), { ...upload(new Uint8Array(0)), key: "s/dir/" });
    assert.equal(object.sha256, EMPTY_SHA256);
    assert.equal(object.guarantee, verify === "auto" ? "server-checksum" : "read-back");
    assert.equal(store.objects.get("s/dir/")!.bytes.length, 0);
  }
});

Deno.test("S9 uploadObject() sends a large file in parts, each with its checksum, and proves the composite", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const object = await uploadObject(testSession(store, { journal }), upload(BIG));
  const parts = [BIG.subarray(0, 5 * MIB), BIG.subarray(5 * MIB, 10 * MIB), BIG.subarray(10 * MIB)].map(base64);
  assert.equal(object.guarantee, "server-checksum");
  assert.equal(object.composite, compositeSha256(parts));
  assert.equal(object.partSize, 5 * MIB);
  assert.equal(object.sha256, hex(BIG));
  assert.equal(store.objects.get(KEY)!.metadata.sha256, hex(BIG));
  assert.deepEqual(store.objects.get(KEY)!.bytes, BIG);
  assert.equal(journal.rows.size, 0);
  assert.equal(store.uploads.size, 0);
});

Deno.test("uploadObject() ends with the signal's reason and gives its memory back", async () => {
  const store = memoryStore();
  const stop = new AbortController();
  const session = testSession(store, { signal: stop.signal });
  await session.trust.report(session.signal);
  store.hooks = {
    before: (call) => {
      if (call.name === "uploadPart" && call.part === 2) stop.abort(new Error("stopped by the operator"));
    },
  };
  await assert.rejects(uploadObject(session, upload(BIG)), /stopped by the operator/);
  assert.equal(session.budget.held, 0);
  assert.equal(session.gate.held, 0);
});

Deno.test("uploadObject() never holds more memory than its budget", async () => {
  const store = memoryStore();
  const session = testSession(store, { budgetBytes: 10 * MIB, parallel: 8 });
  await session.trust.report(session.signal);
  let most = 0;
  store.hooks = { before: () => void (most = Math.max(most, session.budget.held)) };
  const requests = [1, 2, 3].map((n) => ({ ...upload(BIG), key: `k${n}` }));
  const outcomes = await Array.fromAsync(uploadMany(session, requests));
  assert.ok(outcomes.every((outcome) => outcome.ok));
  assert.ok(most > 0 && most <= 10 * MIB, `${most} bytes`);
});

Deno.test("S19 uploadMany() yields what came of each, and one that fails stops no other", async () => {
  const store = memoryStore();
  const clock = instantClock();
  const session = testSession(store, { parallel: 3, clock });
  await session.trust.report(session.signal);
  let running = 0;
  let most = 0;
  store.hooks = {
    before: (call) => {
      most = Math.max(most, ++running);
      if (call.key === "k7") throw failure("denied");
    },
    after: () => void running--,
  };
  const requests = Array.from({ length: 20 }, (_, n) => ({ ...upload(patternBytes(n + 1)), key: `k${n}` }));
  const outcomes = await Array.fromAsync(uploadMany(session, requests));
  assert.equal(outcomes.length, 20);
  const failed = outcomes.filter((outcome) => !outcome.ok);
  assert.deepEqual(failed.map((outcome) => outcome.request.key), ["k7"]);
  assert.ok(code("s3/denied")((failed[0] as { error: PipelineError }).error));
  assert.equal(store.objects.size, 19);
  assert.ok(most <= 4, `${most} at once`);
});

Deno.test("uploadMany() leaves nothing running when its caller stops listening", async () => {
  const store = memoryStore();
  const session = testSession(store, { parallel: 3 });
  await session.trust.report(session.signal);
  const requests = Array.from({ length: 20 }, (_, n) => ({ ...upload(patternBytes(n + 1)), key: `k${n}` }));
  for await (const outcome of uploadMany(session, requests)) if (outcome.ok) break;
  const calls = store.calls.length;
  assert.equal(session.gate.held, 0);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert.equal(store.calls.length, calls);
});

Deno.test("uploadMany() ends when all uploads end while its caller is busy with one", async () => {
  const store = memoryStore();
  const session = testSession(store, { parallel: 3 });
  await session.trust.report(session.signal);
  const requests = Array.from({ length: 5 }, (_, n) => ({ ...upload(patternBytes(n + 1)), key: `k${n}` }));
  let outcomes = 0;
  for await (const outcome of uploadMany(session, requests)) {
    if (outcome.ok) outcomes++;
    while (store.objects.size < 5 || session.gate.held > 0) await Promise.resolve();
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  }
  assert.equal(outcomes, 5);
});
