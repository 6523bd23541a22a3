/** SAFETY for `evict`: what must hold before a copy on the NAS goes, and that nothing else ever goes. */
import assert from "node:assert/strict";
import type { RunReport } from "../../core/run/report.ts";
import { assertOnNas, backedUp, bucketOf, CLEANUP, cleanup, EVICT_ALL, onNas, studyOf } from "../kit/backups.ts";
import { assertFailed, rewrite } from "../kit/rules.ts";
import { BACKUP, MANIFEST_ROOT, NAS_ROOT, World } from "../../testing/world.ts";

const STUDY = studyOf(500);
const AT_NAS = `${NAS_ROOT}/study1`;
const IMAGE = "fusion/study1/Scan1/image.bin";

const one = (options: Parameters<typeof backedUp>[1] = {}) =>
  backedUp({ study1: STUDY }, { config: EVICT_ALL, ...options });

/** Nothing of the study went, nothing of the bucket changed, and no eviction is open. */
async function assertStays(world: World, bucket: unknown, study = STUDY): Promise<void> {
  assertOnNas(world, "study1", study);
  assert.deepEqual(bucketOf(world), bucket);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.truenas_evicting_at, null);
  assert.equal(record?.truenas_evicted_at, null);
}

function outcomes(report: RunReport) {
  return report.items.map(({ name, outcome, error }) => [name, outcome, error?.code]);
}

Deno.test("S4 S5 S20 an eviction removes the folder on the NAS, records its begin and end, and leaves the bucket as it is", async () => {
  await using world = await one();
  const before = bucketOf(world);
  const report = await cleanup(world);
  assert.deepEqual(outcomes(report), [["study1", "done", undefined]]);
  assert.equal(world.fs.disk.lstat(AT_NAS), undefined);
  assert.deepEqual(bucketOf(world), before);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete");
  assert.ok(record?.truenas_evicting_at && record.truenas_evicted_at);
  assert.equal(record.s3_uri, "s3://archive/fusion/study1");
});

Deno.test("S5 an eviction needs every byte in the bucket: a flipped one keeps the copy, read back or by checksum", async () => {
  for (const store of [{ checksums: false }, {}]) {
    await using world = await one({ store });
    const object = world.store.objects.get(IMAGE)!;
    const bytes = object.bytes.slice();
    bytes[7] ^= 1;
    // A store that computes checksums has another one for these bytes.
    world.store.objects.set(IMAGE, { ...object, bytes, ...(object.sha256 === null ? {} : { sha256: btoa("other") }) });
    const before = bucketOf(world);
    const report = await cleanup(world);
    assertFailed(report, "backup/object-differs");
    assert.match(
      report.error?.message ?? "",
      /"study1": Cannot count on "s3:\/\/archive\/fusion\/study1\/Scan1\/image.bin"/,
    );
    await assertStays(world, before);
  }
});

Deno.test("S5 S18 an eviction needs every object: one that is missing, or all of them, keeps the copy", async () => {
  for (const [gone, code] of [[/image/, "backup/object-missing"], [/study1\//, "backup/nothing-there"]] as const) {
    await using world = await one();
    for (const key of [...world.store.objects.keys()]) {
      if (gone.test(key) && !key.includes("_claims")) world.store.objects.delete(key);
    }
    const before = bucketOf(world);
    assertFailed(await cleanup(world), code);
    await assertStays(world, before);
  }
});

Deno.test("S5 S18 an eviction needs the list of checksums that the ledger names, in the bucket and on the NAS", async () => {
  {
    await using world = await one();
    const key = "fusion/study1/_checksums.sha256";
    const object = world.store.objects.get(key)!;
    const bytes = new TextEncoder().encode(new TextDecoder().decode(object.bytes).split("\n")[0] + "\n");
    world.store.objects.set(key, { ...object, bytes });
    const before = bucketOf(world);
    assertFailed(await cleanup(world), "backup/no-sidecar");
    await assertStays(world, before);
  }
  {
    await using world = await one();
    const before = bucketOf(world);
    rewrite(world, `${AT_NAS}/_checksums.sha256`, "something else\n");
    assertFailed(await cleanup(world), "destroy/sidecar-differs");
    await assertStays(world, before);
  }
});

Deno.test("S5 an eviction needs the ledger: what is not complete, or is not known, keeps the copy and is named", async () => {
  for (const status of ["in_progress", "failed_s3"]) {
    await using world = await World.open({ config: EVICT_ALL });
    world.study("study1", STUDY);
    if (status === "failed_s3") {
      world.store.hooks.before = ({ key }) => {
        if (key.includes("image")) throw new Error("made up");
      };
    }
    const abort = new AbortController();
    await world.run({
      abort: abort.signal,
      progress: {
        stageFinished(_item, stage) {
          if (status === "in_progress" && stage === "checksum-sidecar") abort.abort();
        },
      },
    });
    world.store.hooks = {};
    assert.equal((await world.ledger()).get("study1")?.status, status);
    const report = await cleanup(world);
    assert.equal(report.error?.code, "cleanup/not-enough");
    assert.match(report.error?.message ?? "", new RegExp(`"study1": the ledger says ${status}`));
    assert.equal(report.exit_code, 1);
    assertOnNas(world, "study1", STUDY);
  }
  await using world = await one();
  world.fs.seed({ [`${NAS_ROOT}/stranger/a.txt`]: "of nobody" });
  const report = await cleanup(world);
  assert.match(report.error?.message ?? "", /"stranger": the ledger has no record of it/);
  assert.deepEqual(onNas(world), ["stranger"]);
});

Deno.test("S4 an item whose source is being freed is left alone", async () => {
  await using world = await World.open({ config: EVICT_ALL });
  world.study("study1", STUDY);
  let removals = 0;
  world.fs.fault = ({ operation, path }) => {
    if (
      operation === "removeFile" && path.startsWith("/instrument/") && !path.includes(".labferry") && ++removals > 1
    ) {
      throw Object.assign(new Error("made up"), { code: "EIO" });
    }
  };
  await world.run();
  world.fs.fault = undefined;
  assert.notEqual((await world.ledger()).get("study1")?.source_deleting_at, null);
  const before = bucketOf(world);
  const report = await cleanup(world);
  assert.match(report.error?.message ?? "", /"study1": its source is being freed since/);
  await assertStays(world, before);
});

Deno.test("S5 S20 a file that is not of the backup, or is another one now, keeps the copy and is reported", async () => {
  const changes: [code: string, change: (world: World) => void, named: RegExp][] = [
    ["backup/folder-differs", (world) => world.fs.seed({ [`${AT_NAS}/Scan1/new.txt`]: "added" }), /Scan1\/new\.txt/],
    [
      "backup/folder-differs",
      (world) => world.fs.seed({ [`${AT_NAS}/Scan1/.labferry-tmp-${"0".repeat(32)}`]: "left" }),
      /\.labferry-tmp-/,
    ],
    ["backup/folder-differs", (world) => world.fs.disk.removeFile(`${AT_NAS}/note.txt`), /missing \(note\.txt\)/],
    ["backup/file-differs", (world) => rewrite(world, `${AT_NAS}/note.txt`, "of 501 bytes"), /note\.txt/],
    ["destroy/source-changed", (world) => world.fs.disk.mkdir(`${AT_NAS}/empty`), /empty folders added \(empty\)/],
  ];
  for (const [code, change, named] of changes) {
    await using world = await one();
    change(world);
    const [files, bucket] = [world.files(NAS_ROOT), bucketOf(world)];
    const report = await cleanup(world);
    assertFailed(report, code);
    assert.match(report.items[0].error?.message ?? "", named);
    assert.deepEqual(world.files(NAS_ROOT), files);
    assert.deepEqual(bucketOf(world), bucket);
    assert.equal((await world.ledger()).get("study1")?.truenas_evicting_at, null);
  }
});

Deno.test("S11 an eviction needs the claims of the name, at both places, to be the record's", async () => {
  const other = JSON.stringify({ incarnation: "f".repeat(32), source_root: "other", host: "instrument-2" });
  const nas = `${NAS_ROOT}/.labferry/claims/study1.json`, bucket = "fusion/_claims/study1.json";
  const changes: ((world: World) => void)[] = [
    (world) => rewrite(world, nas, other),
    (world) => world.fs.disk.removeFile(nas),
    (world) => {
      const object = world.store.objects.get(bucket)!;
      world.store.objects.set(bucket, { ...object, bytes: new TextEncoder().encode(other) });
    },
    (world) => world.store.objects.delete(bucket),
  ];
  for (const change of changes) {
    await using world = await one();
    change(world);
    const before = bucketOf(world);
    const report = await cleanup(world);
    assertFailed(report, "backup/claim");
    const [{ error }] = report.items;
    const lost = /missing/.test(error?.message ?? "");
    assert.match(error?.hint ?? "", lost ? /\.labferry\/claims/ : /which host/);
    await assertStays(world, before);
  }
});

Deno.test("S11 two runs at once on one NAS: the second ends with exit 2, a backup and a cleanup too", async () => {
  await using world = await one();
  world.study("study2", STUDY);
  let inner: Promise<RunReport[]> | undefined;
  world.store.hooks.before = async ({ key }) => {
    if (inner || !key.endsWith("image.bin")) return;
    inner = Promise.all([cleanup(world, { host: "instrument-2" }), world.run({ host: "instrument-2" })]);
    await inner;
  };
  await cleanup(world);
  for (const report of await inner!) {
    assert.equal(report.exit_code, 2, JSON.stringify(report));
    assert.equal(report.error?.code, "lock/run-held");
  }
});

Deno.test("S1 a NAS that is not mounted is not cleaned: exit 2, and the ledger keeps what it knows", async () => {
  await using world = await one();
  const ledger = world.fs.tree(MANIFEST_ROOT);
  for (const path of Object.keys(world.fs.tree(NAS_ROOT))) {
    if (path.endsWith(".labferry-place")) world.fs.disk.removeFile(path);
  }
  for (const dryRun of [false, true]) {
    const report = await cleanup(world, { dryRun });
    assert.equal(report.error?.code, "place/not-marked");
    assert.equal(report.exit_code, 2);
  }
  assert.deepEqual(world.fs.tree(MANIFEST_ROOT), ledger);
  assertOnNas(world, "study1", STUDY);
});

Deno.test("S5 facts do not carry over: without lock, proof or in another order, lint and the engine refuse with exit 2", async () => {
  const stage = (use: string) => new RegExp(`\\[\\[stage\\]\\]\\nuse *= "${use}"[^[]*`);
  const evict = CLEANUP.match(stage("evict"))![0], prove = CLEANUP.match(stage("prove-archived"))![0];
  const unsafe: Record<string, string> = {
    "no lock": CLEANUP.replace(stage("lock"), ""),
    "no proof": CLEANUP.replace(prove, ""),
    "proof too late": CLEANUP.replace(prove, "").replace(evict, `${evict}\n${prove}`),
    "two places wanted": CLEANUP.replace("places = 1", "places = 2"),
    "a hook between": CLEANUP.replace(evict, `[[stage]]\nuse = "hook"\nwith = { argv = ["true"] }\n${evict}`),
    "a proof that may fail": CLEANUP.replace(prove, prove.replace(`id   = "s3"`, `id = "s3"\non_error = "warn"`)),
  };
  for (const [what, pipeline] of Object.entries(unsafe)) {
    await using world = await one();
    const before = bucketOf(world);
    const errors = world.compile(pipeline).diagnostics.filter((found) => found.severity === "error");
    assert.ok(errors.length > 0, `${what}: lint lets it pass`);
    const report = await world.run({ pipeline, unlinted: true });
    assert.equal(report.error?.code, "run/unsafe-order", what);
    assert.equal(report.exit_code, 2);
    await assertStays(world, before);
  }
});

Deno.test("S4 stages for studies do not take backups, and evict takes no study", async () => {
  await using world = await World.open();
  const codes = (text: string) => world.compile(text).diagnostics.map((found) => found.code);
  const study = CLEANUP.replace(
    /use {2}= "capacity"\nwith = \{[^}]*\}[^}]*\}[^}]*\}/,
    `use = "idle-folders"\nwith = { root = "\${paths.source_root}" }`,
  );
  assert.deepEqual(codes(study), ["pipeline/wrong-item", "pipeline/wrong-item"]);
  for (
    const use of [
      `"delete"`,
      `"s3-upload"\nid = "x"\nwith = { bucket = "b" }`,
      `"manifest-append"\nwith = { status = "complete" }`,
    ]
  ) {
    assert.deepEqual(codes(`${CLEANUP}\n[[stage]]\nuse = ${use}\n`), ["pipeline/wrong-item"]);
  }
});

Deno.test("S19 a backup that is refused does not stop the next, and the exit code is 1", async () => {
  await using world = await backedUp({ study1: STUDY, study2: STUDY, study3: STUDY }, { config: EVICT_ALL });
  world.store.objects.delete("fusion/study2/note.txt");
  const report = await cleanup(world);
  assert.deepEqual(outcomes(report), [
    ["study1", "done", undefined],
    ["study2", "failed", "backup/object-missing"],
    ["study3", "done", undefined],
  ]);
  assert.equal(report.exit_code, 1);
  assert.deepEqual(onNas(world), ["study2"]);
  assert.deepEqual(report.error?.findings?.map(({ path }) => path), ["study2"]);
});

Deno.test("S5 a study that is still on the instrument may be evicted, and is then backed up to the NAS anew", async () => {
  await using world = await World.open({ config: EVICT_ALL });
  world.study("study1", STUDY);
  const kept = (text: string) => text.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  assert.equal((await world.run({ pipeline: kept(BACKUP) })).exit_code, 0);
  assert.deepEqual(outcomes(await cleanup(world)), [["study1", "done", undefined]]);
  world.clock.time += 3_600_000;
  const report = await world.run({ pipeline: kept(BACKUP) });
  assert.equal(report.exit_code, 0, JSON.stringify(report.items[0]));
  assertOnNas(world, "study1", STUDY);
  // The ledger knows of the new copy, so that it can be evicted again.
  assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at, null);
  world.clock.time += 3_600_000;
  assert.deepEqual(outcomes(await cleanup(world)), [["study1", "done", undefined]]);
  assert.deepEqual(onNas(world), []);
});
