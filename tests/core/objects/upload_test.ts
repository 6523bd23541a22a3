import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PipelineError } from "../../../core/errors.ts";
import { compositeSha256, EMPTY_SHA256 } from "../../../core/objects/checksum.ts";
import { bytesSource, type UploadSource } from "../../../core/objects/source.ts";
import { uploadMany, uploadObject } from "../../../core/objects/upload.ts";
import { failure, memoryStore } from "../../kit/memory_object_store.ts";
import { instantClock, memoryUploads, patternBytes, testSession } from "../../kit/object_session.ts";

const MIB = 2 ** 20;
const BIG = patternBytes(12 * MIB + 345);
const KEY = "backups/s/a.tif";
const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const base64 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");
const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof PipelineError, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};
const upload = (bytes: Uint8Array, more = {}) => ({
  key: KEY,
  source: bytesSource("a.tif", bytes),
  incarnation: "i1",
  ...more,
});

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

Deno.test("uploadObject() reads a second time before it says that the store is wrong", async () => {
  let damaged = 1;
  const store = memoryStore({ read: (_call, bytes) => damaged-- > 0 ? bytes.map((byte) => byte ^ 1) : bytes });
  const object = await uploadObject(testSession(store, { verify: "read-back" }), upload(patternBytes(50)));
  assert.equal(object.guarantee, "read-back");
  const damaging = memoryStore({ read: (_call, bytes) => bytes.map((byte) => byte ^ 1) });
  await assert.rejects(
    uploadObject(testSession(damaging, { verify: "read-back" }), upload(patternBytes(50))),
    code("s3/mismatch"),
  );
});

for (
  const [name, options] of [["enforced", {}], ["ignored", { putIfAbsent: false, completeIfAbsent: false }]] as const
) {
  for (const bytes of [patternBytes(100), BIG]) {
    const title = `uploadObject() of ${bytes.length} bytes, If-None-Match ${name},`;

    Deno.test(`${title} never overwrites other bytes`, async () => {
      const store = memoryStore(options);
      const other = patternBytes(bytes.length, 7);
      await uploadObject(testSession(store), upload(other));
      const before = store.objects.get(KEY);
      const journal = memoryUploads();
      await assert.rejects(uploadObject(testSession(store, { journal }), upload(bytes)), code("s3/conflict"));
      assert.equal(store.objects.get(KEY), before);
      assert.equal(journal.rows.size, 0);
      assert.equal(store.uploads.size, 0);
    });

    Deno.test(`${title} calls the same bytes already there`, async () => {
      const store = memoryStore(options);
      await uploadObject(testSession(store), upload(bytes));
      const before = store.objects.get(KEY);
      const again = await uploadObject(testSession(store), upload(bytes));
      assert.equal(again.existed, true);
      assert.equal(again.guarantee, "server-checksum");
      assert.equal(store.objects.get(KEY), before);
    });

    Deno.test(`${title} does not overwrite what appears at the last moment`, async () => {
      const store = memoryStore(options);
      const session = testSession(store);
      await session.trust.report(session.signal);
      const last = bytes.length > 5 * MIB ? "completeUpload" : "put";
      const enforced = name === "enforced";
      // Where nothing is enforced the last look is just before the write: what comes in between cannot be seen.
      const moment = enforced ? last : "head";
      const intruder = patternBytes(3, 9);
      let heads = 0;
      store.hooks = {
        before: (call) => {
          if (call.name !== moment || call.key !== KEY) return;
          if (moment === "head" && last === "completeUpload" && ++heads < 2) return;
          if (store.objects.has(KEY)) return;
          store.objects.set(KEY, {
            bytes: intruder,
            etag: "x",
            versionId: null,
            sha256: null,
            metadata: { sha256: hex(bytes) },
            storageClass: null,
          });
        },
      };
      await assert.rejects(uploadObject(session, upload(bytes)), code("s3/conflict"));
      assert.deepEqual(store.objects.get(KEY)!.bytes, intruder);
      assert.equal(store.uploads.size, 0);
    });
  }
}

Deno.test("S8 uploadObject() never takes our own metadata for evidence", async () => {
  const store = memoryStore();
  const bytes = patternBytes(100);
  await uploadObject(testSession(store), upload(bytes));
  const object = store.objects.get(KEY)!;
  store.objects.set(KEY, { ...object, bytes: patternBytes(100, 8), sha256: null });
  await assert.rejects(uploadObject(testSession(store), upload(bytes)), code("s3/conflict"));
});

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

/** A source whose file changes while it is read. */
function changing(bytes: Uint8Array, how: "stat" | "name" | "short" | "gone"): UploadSource {
  const source = bytesSource("a.tif", bytes);
  const identity = { dev: 1, ino: 2, size: bytes.length, mtimeMs: 3, ctimeMs: 4000 };
  let stats = 0;
  return {
    ...source,
    stat: () => Promise.resolve(how === "gone" ? undefined : how === "name" ? { ...identity, ino: 9 } : identity),
    open: async () => {
      const handle = await source.open();
      let left = how === "short" ? bytes.length - 1 : bytes.length;
      return {
        read: async (buffer) => {
          const got = await handle.read(buffer.subarray(0, Math.min(buffer.length, left)));
          left -= got;
          return got;
        },
        stat: () => Promise.resolve(how === "stat" && stats++ > 0 ? { ...identity, mtimeMs: 5 } : identity),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}

for (const bytes of [patternBytes(100), BIG]) {
  for (const how of ["stat", "name", "short", "gone"] as const) {
    Deno.test(`S9 uploadObject() makes no object of ${bytes.length} bytes from a source that changes (${how})`, async () => {
      const store = memoryStore();
      const journal = memoryUploads();
      const session = testSession(store, { journal });
      const source = changing(bytes, how);
      await assert.rejects(
        uploadObject(session, upload(bytes, { source, sha256: hex(bytes) })),
        code("s3/source-changed"),
      );
      assert.ok(!store.objects.has(KEY));
      assert.equal(store.uploads.size, 0);
      assert.equal(journal.rows.size, 0);
      assert.equal(session.budget.held, 0);
      assert.equal(session.gate.held, 0);
    });
  }
}

Deno.test("S9 uploadObject() makes no object from a source that is not what its evidence says", async () => {
  for (const bytes of [patternBytes(100), BIG]) {
    const store = memoryStore();
    await assert.rejects(
      uploadObject(testSession(store), upload(bytes, { sha256: hex(patternBytes(5)) })),
      code("s3/source-changed"),
    );
    assert.ok(!store.objects.has(KEY));
    assert.equal(store.uploads.size, 0);
  }
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
