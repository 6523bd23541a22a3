import assert from "node:assert/strict";
import { systemError } from "../../testing/memory_file_system.ts";
import { failure } from "../../testing/memory_object_store.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";
import {
  archived,
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  everything,
  FILES,
  manyFiles,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../kit/rules.ts";

const LOCK = `${AT_SOURCE}/.labferry.lock`;
const RUN_LOCK = `${NAS_ROOT}/.cleanup.lock`;
const OTHER_SOURCE = "/instrument2/studies";
const away = { before: () => Promise.reject(failure("unreachable")) };

const holder = (host: string) =>
  `${JSON.stringify({ host, pid: 4711, started_at: "2026-01-01T00:00:00.000Z", run_name: "backup" })}\n`;

/** A second instrument, with a study of its own under the same name. */
function secondInstrument(world: World, files: Record<string, string>): void {
  world.fs.mount("/instrument2", {});
  world.fs.seed({ [`${OTHER_SOURCE}/.labferry-place`]: "22222222-0000-4000-8000-000000000000\n" });
  const seed = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${OTHER_SOURCE}/study1/${path}`, text]),
  );
  world.fs.seed(seed, { at: world.clock.now() - 30 * 86_400_000 });
}

const asOther = { host: "instrument-2", sourceRoot: OTHER_SOURCE };

Deno.test("S10 a lock of another host cannot be proved dead: exit 1 under both policies, nothing written", async () => {
  for (const policy of ["reclaim", "refuse"]) {
    for (const lock of [LOCK, RUN_LOCK]) {
      await using world = await worldWith(FILES, { config: `[backup]\nstale_locks = "${policy}"\n` });
      world.fs.seed({ [lock]: holder("another-host") });
      const before = everything(world);
      const report = await world.run();
      assert.equal(report.exit_code, 1, `${policy} ${lock}`);
      assert.equal(report.error?.code, "lock/unprovable", `${policy} ${lock}`);
      assert.deepEqual(everything(world), before, `${policy} ${lock}`);
    }
  }
});

Deno.test("S10 S19 a lock whose text cannot be read stops the whole run with exit 1, and the studies beside it wait", async () => {
  for (const policy of ["reclaim", "refuse"]) {
    await using world = await worldWith(FILES, { config: `[backup]\nstale_locks = "${policy}"\n` });
    world.study("study0", { "b.txt": "beta" });
    world.fs.seed({ [LOCK]: "not what a lock says" });
    const before = everything(world);
    const report = await world.run();
    assert.deepEqual([report.exit_code, report.error?.code, report.items], [1, "lock/unprovable", []], policy);
    assert.match(report.error?.message ?? "", /its text names no host/);
    assert.match(report.error?.hint ?? "", /labferry unlock study1/);
    assert.deepEqual(everything(world), before, policy);
  }
});

Deno.test("S10 a lock of a dead process of this host is reclaimed with a warning, or refused with exit 1", async () => {
  await using world = await worldWith();
  world.fs.seed({ [LOCK]: holder("instrument-1") });
  assertDone(await world.run());
  assert.ok(world.log.lines.some((line) => line.level === "warn" && /lock/.test(line.message)));
  assert.deepEqual(world.files(SOURCE_ROOT), {});

  await using strict = await worldWith(FILES, { config: `[backup]\nstale_locks = "refuse"\n` });
  strict.fs.seed({ [LOCK]: holder("instrument-1") });
  const before = everything(strict);
  const report = await strict.run();
  assert.equal(report.exit_code, 1);
  assert.equal(report.error?.code, "lock/found");
  assert.deepEqual(everything(strict), before);
});

Deno.test("S10 a lock that is held stops the run with exit 1; a held run lock with exit 2 (S11)", async () => {
  for (const [path, exit, code] of [[LOCK, 1, "lock/held"], [RUN_LOCK, 2, "lock/run-held"]] as const) {
    await using world = await worldWith();
    const handle = world.fs.disk.openReadWrite(path);
    handle.write(new TextEncoder().encode(holder("instrument-1")));
    assert.ok(handle.tryLock());
    const before = everything(world);
    const report = await world.run();
    assert.equal(report.exit_code, exit, code);
    assert.equal(report.error?.code, code);
    assert.deepEqual(everything(world), before, code);
    handle.close();
    world.fs.disk.removeFile(path);
    assertDone(await world.run());
  }
});

Deno.test("S10 a lock that is removed or replaced between two batches ends the destroy", async () => {
  for (const replace of [false, true]) {
    await using world = await worldWith(manyFiles());
    const report = await runAndBeforeRemoval(world, 1000, () => {
      world.fs.disk.removeFile(LOCK);
      if (replace) world.fs.seed({ [LOCK]: holder("another-host") });
    });
    assertFailed(report, "lock/lost");
    const left = Object.keys(world.files(AT_SOURCE)).length;
    assert.equal(left, 10);
    assert.equal(world.fs.disk.lstat(LOCK) !== undefined, replace, "the lock of somebody else stays");
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});

Deno.test("S11 a lock that another host wrote into, on a share that does not keep locks, ends the destroy", async () => {
  for (const lock of [LOCK, RUN_LOCK]) {
    await using world = await worldWith(manyFiles());
    const report = await runAndBeforeRemoval(world, 1000, () => rewrite(world, lock, holder("another-host")));
    assertFailed(report, "lock/lost");
    assert.match(report.items[0].error?.message ?? "", /was written by another-host, process 4711/);
    assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
    assert.match(world.fs.tree("/")[lock], /another-host/, "the lock of the other host stays");
  }
});

Deno.test("S11 of two hosts that write a lock at once, on a share that does not keep locks, the first one stops", async () => {
  for (const lock of [LOCK, RUN_LOCK]) {
    await using world = await worldWith();
    let done = false;
    world.fs.fault = ({ operation, path }) => {
      if (operation !== "sync" || path !== lock || done) return;
      done = true;
      rewrite(world, lock, holder("another-host"));
    };
    const report = await world.run();
    assert.equal(report.exit_code, 1);
    assert.equal(report.error?.code ?? report.items[0].error?.code, "lock/lost", lock);
    assertSourceWhole(world);
    assert.deepEqual([world.files(NAS_ROOT), world.objects()], [{}, {}], "nothing was begun");
  }
});

Deno.test("S10 no lock is left behind, however the study ends", async () => {
  for (const stage of ["truenas", "s3", "record"]) {
    await using world = await worldWith();
    await runAndAfter(world, stage, () => {
      world.study("study1", { "late.txt": "late" });
      world.store.hooks = away;
    });
    assert.equal(world.fs.disk.lstat(LOCK), undefined, stage);
    assert.equal(world.fs.disk.lstat(RUN_LOCK), undefined, stage);
  }
});

Deno.test("S11 a second host with a study of the same name is refused, and nothing of the first is touched", async () => {
  for (const files of [FILES, { ...FILES, "a.txt": "ALPHA" }, { "other.txt": "other" }]) {
    await using world = await worldWith();
    // The first host is half done: it holds the name at both places, and has not completed.
    const report = await runAndAfter(world, "s3", () => world.study("study1", { "late.txt": "late" }));
    assertFailed(report, "item/source-changed");
    secondInstrument(world, files);
    const before = archived(world);
    assertFailed(await world.run(asOther), "item/name-claimed");
    assert.deepEqual(archived(world), before);
    assert.deepEqual(world.files(`${OTHER_SOURCE}/study1`), files);
  }
});

Deno.test("S11 a name that another host completed is refused: other content as reused, the same as claimed", async () => {
  for (const [files, code] of [[FILES, "item/name-claimed"], [{ "b.txt": "x" }, "item/name-reused"]] as const) {
    await using world = await worldWith();
    assertDone(await world.run());
    const before = archived(world);
    secondInstrument(world, files);
    assertFailed(await world.run(asOther), code);
    assert.deepEqual(archived(world), before);
    assert.deepEqual(world.files(`${OTHER_SOURCE}/study1`), files);
  }
});

Deno.test("S11 the claim holds at the bucket alone, and at the NAS alone", async () => {
  for (const lost of ["nas", "bucket"]) {
    await using world = await worldWith();
    assertFailed(await runAndAfter(world, "s3", () => world.study("study1", { late: "late" })), "item/source-changed");
    if (lost === "nas") world.fs.disk.removeFile(`${NAS_ROOT}/.labferry/claims/study1.json`);
    else world.store.objects.delete("fusion/_claims/study1.json");
    secondInstrument(world, FILES);
    const before = { ...archived(world), nas: world.files(AT_NAS) };
    const report = await world.run(asOther);
    assertFailed(report, "item/name-claimed");
    const { hint = "" } = report.items[0].error ?? {};
    const where = lost === "nas"
      ? "s3://archive/fusion/_claims/study1.json"
      : `${NAS_ROOT}/.labferry/claims/study1.json`;
    assert.ok(hint.includes(`The claim is "${where}"; before you remove it, make sure that "${AT_SOURCE}"`), hint);
    assert.deepEqual({ ...archived(world), nas: world.files(AT_NAS) }, before);
  }
});

Deno.test("S19 a study that this account may not enter fails alone; the others are archived", async () => {
  await using world = await worldWith();
  world.study("study2", FILES);
  world.fs.fault = ({ path }) => {
    if (path.startsWith(`${AT_SOURCE}/`)) throw systemError("EACCES", `permission denied: "${path}"`);
  };
  const report = await world.run();
  assert.equal(report.exit_code, 1);
  assert.equal((await world.ledger()).get("study2")?.status, "complete");
  world.fs.fault = undefined;
  assertSourceWhole(world);
});

Deno.test("S11 a claim that cannot be read stops the study, not the others", async () => {
  await using world = await worldWith();
  world.study("study2", FILES);
  world.fs.seed({ [`${NAS_ROOT}/.labferry/claims/study1.json`]: "{" });
  assertFailed(await world.run(), "item/claim-unreadable");
  assertSourceWhole(world);
  assert.equal((await world.ledger()).get("study2")?.status, "complete");
});

Deno.test("S11, S22 a link in a claim's place, also one that leads nowhere, stops the study and nothing waits", async () => {
  for (const link of ["/nonexistent/x", `${NAS_ROOT}/.labferry-place`]) {
    await using world = await worldWith();
    world.fs.seed({ [`${NAS_ROOT}/.labferry/claims/study1.json`]: { link } });
    assertFailed(await world.run(), "item/claim-unreadable");
    assertSourceWhole(world);
  }
});

Deno.test("S11 a host that shares the ledger never closes the destroy of another host", async () => {
  await using world = await worldWith();
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  // To the second host the same path is a folder of its own, and no such study is in it.
  world.fs.disk.rename(AT_SOURCE, "/instrument/elsewhere");
  await world.loseJournal();
  world.fs.disk.removeFile(RUN_LOCK);
  assertDone(await world.run({ host: "instrument-2" }));
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.source_deleted_at, null);
  assert.notEqual(record?.source_deleting_at, null);
});

Deno.test("S10 S19 a folder or a link under the name of a study's lock keeps that study, and no other", async () => {
  for (const seed of [{ "/.labferry.lock/x": "x" }, { "/.labferry.lock": { link: "/instrument/made" } }]) {
    await using world = await World.open();
    world.study("study1", FILES);
    world.study("study2", FILES);
    const [[path, what]] = Object.entries(seed);
    world.fs.seed({ [`${SOURCE_ROOT}/study1${path}`]: what }, { at: 0 });
    const report = await world.run();
    assert.deepEqual(report.items.map(({ name, outcome, error }) => [name, outcome, error?.code]), [
      ["study1", "failed", "lock/not-a-file"],
      ["study2", "done", undefined],
    ]);
    assert.equal(report.exit_code, 1);
    assert.match(report.items[0].error?.hint ?? "", /move it away by hand/);
    assert.equal(world.fs.disk.lstat("/instrument/made"), undefined);
    assert.deepEqual(Object.keys(world.files(`${SOURCE_ROOT}/study1`)), Object.keys(FILES).sort());
  }
});
