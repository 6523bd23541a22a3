import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { PutResult } from "../../core/objects/object_store.ts";
import { failure, type MemoryStoreOptions, type StoreCall } from "../../testing/memory_object_store.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { BACKUP, SOURCE_ROOT, type World } from "../../testing/world.ts";
import { assertDone, assertFailed, assertSourceWhole, AT_SOURCE, FILES, runAndAfter, worldWith } from "../kit/rules.ts";

const isData = (call: StoreCall) => call.key.startsWith("fusion/study1/");

const damage = (call: StoreCall, bytes: Uint8Array) => {
  if (!isData(call) || call.key.endsWith("_checksums.sha256") || bytes.length === 0) return bytes;
  const other = bytes.slice();
  other[0] ^= 1;
  return other;
};

/** Says the checksum back that it was sent, whatever it stored: a store that lies. */
function echoing(): MemoryStoreOptions {
  const answer = <T extends PutResult>(_call: StoreCall, result: T): T => ({ ...result, sha256: "A".repeat(43) + "=" });
  return { checksums: false, answer };
}

async function guaranteeAtS3(world: World): Promise<string | undefined> {
  return (await world.ledger()).get("study1")?.places.s3.guarantee;
}

Deno.test("S8 a store that refuses wrong checksums proves by its own; one that does not is read back", async () => {
  for (const [options, guarantee] of [[{}, "server-checksum"], [{ checksums: false }, "read-back"]] as const) {
    await using world = await worldWith(FILES, { store: options });
    assertDone(await world.run());
    assert.equal(await guaranteeAtS3(world), guarantee);
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  }
});

Deno.test("S8 a store that takes wrong checksums, or lies about them, and damages the bytes is caught", async () => {
  for (const options of [{ checksums: false }, echoing()]) {
    await using world = await worldWith(FILES, { store: { ...options, store: damage } });
    assertFailed(await world.run(), "s3/mismatch");
    assertSourceWhole(world);
    const record = (await world.ledger()).get("study1");
    assert.equal(record?.status, "failed_s3");
    assert.equal(record?.s3_verified_at, null);
    assertFailed(await world.run(), "s3/conflict");
    assertSourceWhole(world);
  }
});

Deno.test("S8 a checksum that is missing or another in the answer is not proof: the bytes are read back", async () => {
  for (const sha256 of [null, "A".repeat(43) + "="]) {
    await using world = await worldWith();
    await world.run({ only: "study1", dryRun: true });
    world.store.hooks = {
      answer: (call, result) => isData(call) ? { ...result, sha256 } : result,
    };
    assertDone(await world.run());
    assert.equal(await guaranteeAtS3(world), "read-back");
  }
});

Deno.test("S8 our own metadata is never evidence: an object with the right words and other bytes is a conflict", async () => {
  await using world = await worldWith();
  const sha256 = createHash("sha256").update("alpha").digest("hex");
  world.store.objects.set("fusion/study1/a.txt", {
    bytes: new TextEncoder().encode("ALPHA"),
    etag: "e",
    versionId: null,
    sha256: null,
    metadata: { sha256 },
    storageClass: null,
  });
  assertFailed(await world.run(), "s3/conflict");
  assertSourceWhole(world);
  assert.equal(new TextDecoder().decode(world.objects()["study1/a.txt"]), "ALPHA", "nothing is replaced");
  assert.equal((await world.ledger()).get("study1")?.status, "failed_s3");
});

Deno.test("S8 a store that ignores If-None-Match still never has an object replaced", async () => {
  await using world = await worldWith(FILES, { store: { putIfAbsent: false, completeIfAbsent: false } });
  const object = { etag: "e", versionId: null, sha256: null, metadata: {}, storageClass: null };
  world.store.objects.set("fusion/study1/a.txt", { bytes: new TextEncoder().encode("mine"), ...object });
  assertFailed(await world.run(), "s3/conflict");
  assert.equal(new TextDecoder().decode(world.objects()["study1/a.txt"]), "mine");
  assertSourceWhole(world);
});

Deno.test("S8 a place that is not verified can never be recorded as complete", async () => {
  await using world = await worldWith();
  const pipeline = BACKUP.replace(`part = "5 MiB"`, `part = "5 MiB", verify = "none"`);
  const report = await world.run({ pipeline, unlinted: true });
  assert.equal(report.exit_code, 1);
  assertSourceWhole(world);
  assert.notEqual((await world.ledger()).get("study1")?.status, "complete");
});

const LARGE = { "big.qptiff": patternBytes(12 * 2 ** 20, 7) };

Deno.test("S9 a lost answer to any request of a large upload is judged by what is there", async () => {
  for (const name of ["put", "createUpload", "uploadPart", "completeUpload", "head"] as const) {
    await using world = await worldWith(LARGE);
    let lost = false;
    const lose = (call: StoreCall) => {
      if (lost || call.name !== name || !isData(call)) return;
      lost = true;
      throw failure("unreachable", "the answer was lost");
    };
    assertDone(await runAndAfter(world, "truenas", () => world.store.hooks = { after: lose }));
    assert.deepEqual(world.objects()["study1/big.qptiff"], LARGE["big.qptiff"], name);
    // An upload whose number was lost costs space at the store until its lifecycle rule ends it; nobody can name it.
    assert.equal(world.store.uploads.size, name === "createUpload" ? 1 : 0, name);
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  }
});

Deno.test("S9 a damaged part of a broken-off upload is never used again", async () => {
  await using world = await worldWith(LARGE, { store: { checksums: false } });
  const stop = (call: StoreCall) => {
    if (call.name === "uploadPart" && call.part === 3) throw failure("denied", "no more");
  };
  const report = await runAndAfter(world, "truenas", () => world.store.hooks = { before: stop, store: damage });
  assert.equal(report.exit_code, 1);
  world.store.hooks = {};
  assert.equal(world.store.uploads.size, 1, "the upload can be taken up again");
  await world.run();
  const stored = world.objects()["study1/big.qptiff"];
  const record = (await world.ledger()).get("study1");
  if (stored) assert.equal(Object.is(record?.status, "complete"), equal(stored, LARGE["big.qptiff"]));
  if (record?.source_deleted_at) assert.ok(stored && equal(stored, LARGE["big.qptiff"]));
  else assert.equal(world.fs.bytes(`${AT_SOURCE}/big.qptiff`).length, LARGE["big.qptiff"].length);
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return createHash("sha256").update(a).digest("hex") === createHash("sha256").update(b).digest("hex");
}

Deno.test("S18 an object of study10 never stands for one of study1", async () => {
  await using world = await worldWith();
  world.study("study10", FILES);
  const report = await runAndAfter(world, "record", () => world.store.objects.delete("fusion/study1/a.txt"));
  const outcomes = Object.fromEntries(report.items.map((item) => [item.name, item.outcome]));
  assert.deepEqual(outcomes, { study1: "failed", study10: "done" });
  assertSourceWhole(world);
  assert.equal(world.fs.disk.lstat(`${SOURCE_ROOT}/study10`), undefined);
});

Deno.test("S18 a listing that comes back empty is not a proof", async () => {
  await using world = await worldWith();
  const { list } = world.store;
  const report = await runAndAfter(world, "record", () => {
    world.store.list = async function* (prefix, signal, options) {
      if (!prefix.startsWith("fusion/study1/")) yield* list(prefix, signal, options);
    };
  });
  assertFailed(report, "destroy/not-proved");
  assertSourceWhole(world);
});

Deno.test("S18 a study without a file is a failure, with empty folders or without", async () => {
  for (const study of [`${AT_SOURCE}/`, `${AT_SOURCE}/Scan1/`]) {
    await using world = await worldWith({});
    world.fs.seed({ [study]: "" }, { at: world.clock.now() - 30 * 86_400_000 });
    assertFailed(await world.run(), "item/empty");
    assert.deepEqual(world.objects(), {});
    assert.notEqual((await world.ledger()).get("study1")?.status, "complete");
  }
});

Deno.test("S18 short reads of source, NAS and store are failures", async () => {
  for (const where of ["/instrument/studies/study1/a.txt", "/nas/backups/study1/a.txt"]) {
    await using world = await worldWith();
    world.fs.fault = ({ operation, path }) => operation === "read" && path === where ? { short: 0 } : undefined;
    const report = await world.run();
    world.fs.fault = undefined;
    assert.equal(report.exit_code, 1, where);
    assertSourceWhole(world);
    assert.notEqual((await world.ledger()).get("study1")?.status, "complete");
  }
  await using world = await worldWith(FILES, {
    store: { checksums: false, read: (_call, bytes) => bytes.subarray(1) },
  });
  assert.equal((await world.run()).exit_code, 1);
  assertSourceWhole(world);
});

Deno.test("S18 a sidecar that was emptied or cut after the record permits no destroy", async () => {
  for (const text of ["", `${"0".repeat(64)}  a`]) {
    await using world = await worldWith();
    const report = await runAndAfter(world, "record", () => {
      world.fs.seed({ "/nas/backups/study1/_checksums.sha256": text });
      world.store.objects.get("fusion/study1/_checksums.sha256")!.bytes = new TextEncoder().encode(text);
    });
    assertFailed(report, "destroy/not-sealed");
    assertSourceWhole(world);
  }
});

Deno.test("S8 proofs of a bucket do not count at a bucket of that name behind another endpoint", async () => {
  await using world = await worldWith(FILES, { store: { checksums: false } });
  const kept = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  assertDone(await world.run({ pipeline: kept }));
  // The other store lists the same names, sizes and ETags, and holds other bytes.
  Object.assign(world.store, { identity: "elsewhere/archive" });
  const object = world.store.objects.get("fusion/study1/a.txt")!;
  object.bytes = new TextEncoder().encode("alphA");
  const report = await world.run();
  assert.equal(report.exit_code, 1, JSON.stringify(report));
  assertSourceWhole(world);
});
