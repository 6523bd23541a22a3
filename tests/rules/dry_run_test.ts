import assert from "node:assert/strict";
import { join } from "@std/path";
import { copyJournalForReading, openJournal } from "../../core/journal/sqlite.ts";
import type { RunReport } from "../../core/run/report.ts";
import type { FaultCall } from "../../testing/memory_file_system.ts";
import { systemError } from "../../testing/memory_types.ts";
import { failure } from "../../testing/memory_object_store.ts";
import { tempDir } from "../kit/temp.ts";
import { BACKUP, NAS_ROOT, SOURCE_ROOT, type World } from "../../testing/world.ts";
import {
  assertDone,
  AT_SOURCE,
  everything,
  FILES,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../kit/rules.ts";

/** What only looks. */
const LOOKS = new Set([
  "lstat",
  "readDir",
  "realPath",
  "openRead",
  "readText",
  "read",
  "stat",
  "close",
  "space",
  "tryLock",
]);
const STORE_LOOKS = new Set(["headBucket", "head", "list", "get", "listParts"]);

/** A dry run as the command line makes it: on a copy of the live journal. Fails if anything at all is changed. */
async function assertChangesNothing(world: World, journal: string, pipeline?: string): Promise<RunReport> {
  const before = everything(world);
  const journalBefore = await bytesBelow(journal);
  const calls = world.store.calls.length;
  const changed: FaultCall[] = [];
  world.fs.fault = (call) => {
    if (!LOOKS.has(call.operation)) changed.push(call);
  };
  await using copy = await copyJournalForReading(join(journal, "journal.db"));
  const report = await world.run({ dryRun: true, pipeline, wrap: (services) => ({ ...services, journal: copy }) });
  world.fs.fault = undefined;
  assert.deepEqual(changed, []);
  assert.deepEqual(world.store.calls.slice(calls).filter((call) => !STORE_LOOKS.has(call.name)), []);
  assert.deepEqual(everything(world), before);
  assert.deepEqual(await bytesBelow(journal), journalBefore);
  return report;
}

async function bytesBelow(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    found[name] = (await Deno.readFile(join(folder, name))).toString();
  }
  return found;
}

/** A world whose journal is a file. */
async function worldOnDisk(folder: string, files?: Record<string, string>): Promise<World> {
  const world = await worldWith(files);
  await world.journal[Symbol.asyncDispose]();
  world.journal = await openJournal(join(folder, "journal.db"));
  return world;
}

const applied = (report: RunReport) =>
  Object.fromEntries(report.items[0].stages.map((stage) => [stage.id, stage.files || stage.applied]));

Deno.test("S17 a dry run of a fresh study shows every stage's work and changes nothing", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  const report = await assertChangesNothing(world, dir.path);
  assertDone(report);
  assert.deepEqual(applied(report), {
    lock: 1,
    "manifest-append": 1,
    truenas: 3,
    verify: 3,
    "checksum-sidecar": 1,
    s3: 3,
    record: 1,
    delete: 3,
  });
  assertDone(await world.run());
});

Deno.test("S17 a dry run of a study that failed half-way, or is complete, changes nothing", async () => {
  const away = { before: () => Promise.reject(failure("unreachable")) };
  for (const stage of ["truenas", "verify", "checksum-sidecar", "s3", "record"]) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path);
    const failed = await runAndAfter(world, stage, () => {
      world.store.objects.delete("fusion/study1/a.txt");
      if (!stage.startsWith("s3") && stage !== "record") world.store.hooks = away;
    });
    world.store.hooks = {};
    assert.equal(failed.exit_code, 1, stage);
    const report = await assertChangesNothing(world, dir.path);
    assertDone(report);
    assert.deepEqual(report.items.map((item) => item.name), ["study1"], stage);
    assertDone(await world.run());
    assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined, stage);
  }
});

Deno.test("S17 a dry run of a half-deleted study shows what is left and changes nothing", async () => {
  for (const journal of ["kept", "lost"]) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path, manyFiles(30));
    await runAndBeforeRemoval(world, 10, () => world.fs.crash()).catch(() => {});
    world.fs.restart();
    if (journal === "lost") {
      await world.journal[Symbol.asyncDispose]();
      await Deno.remove(join(dir.path, "journal.db"));
      world.journal = await openJournal(join(dir.path, "journal.db"));
    }
    const report = await assertChangesNothing(world, dir.path);
    assertDone(report);
    assert.deepEqual(report.items.map((item) => item.name), ["study1"]);
    assertDone(await world.run());
    assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
  }
});

/** The usual pipeline behind a hook; without a program, it is a hook as the shipped one is where none is configured. */
const behindHook = (...argv: string[]) =>
  BACKUP.replace(
    `[[stage]]\nuse = "lock"`,
    `[[before]]\nuse = "hook"\nwith = { argv = ${JSON.stringify(argv)} }\n[[stage]]\nuse = "lock"`,
  );

Deno.test("S1 S17 a dry run on a place that a hook may bring says so, plans nevertheless, and ends with 0", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  world.fs.unmount("/nas");
  const report = await assertChangesNothing(world, dir.path, behindHook("mount"));
  assertDone(report);
  assert.ok(world.log.lines.some(({ level, message }) =>
    level === "warn" &&
    /^truenas could not be seen at .*; a real run would stop here unless a program of \[\[before\]\]/.test(message)
  ));
  assert.equal(applied(report).truenas, 3);
  assert.equal(world.fs.disk.lstat(NAS_ROOT), undefined);
});

Deno.test("S1 S17 a dry run on a place that nothing will bring plans nevertheless, and ends with 2 as a run does", async () => {
  for (const pipeline of [BACKUP, behindHook()]) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path);
    world.fs.unmount("/nas");
    const report = await assertChangesNothing(world, dir.path, pipeline);
    assert.deepEqual([report.exit_code, report.error?.code], [2, "place/not-marked"]);
    assert.match(report.error?.hint ?? "", /labferry install places/);
    assert.equal(report.items[0].outcome, "done");
    assert.equal(applied(report).truenas, 3);
    assert.equal(world.fs.disk.lstat(NAS_ROOT), undefined);
    const real = await world.run({ pipeline });
    assert.deepEqual([real.exit_code, real.error?.code], [2, "place/not-marked"]);
  }
});

Deno.test("S17 a dry run whose bucket is away, or refuses, ends as a run would unless a hook may mend it", async () => {
  for (const [kind, exit] of [["unreachable", 1], ["denied", 2]] as const) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path);
    const away = {
      before: (call: { name: string }) =>
        call.name === "headBucket" ? Promise.reject(failure(kind)) : Promise.resolve(undefined),
    };
    world.store.hooks = away;
    const report = await assertChangesNothing(world, dir.path);
    assert.deepEqual([report.exit_code, report.error?.code], [exit, `s3/${kind}`]);
    assert.equal(report.items[0].outcome, "done");
    assert.deepEqual((await assertChangesNothing(world, dir.path, behindHook("vpn"))).exit_code, 0);
    const real = await world.run();
    assert.deepEqual([real.exit_code, real.error?.code], [exit, `s3/${kind}`]);
  }
});

Deno.test("S10 S17 a dry run looks at locks without taking them, and ends as a run would that meets them", async () => {
  const text = (host: string) =>
    JSON.stringify({ host, pid: 1, started_at: "2026-01-01T00:00:00Z", run_name: "backup" });
  const study = `${AT_SOURCE}/.labferry.lock`;
  const nas = `${NAS_ROOT}/.cleanup.lock`;
  for (
    const [path, isHeld, exit, code] of [
      [study, true, 1, "lock/held"],
      [nas, true, 2, "lock/run-held"],
      [study, false, 1, "lock/unprovable"],
      [nas, false, 1, "lock/unprovable"],
    ] as const
  ) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path);
    const handle = world.fs.disk.openReadWrite(path);
    handle.write(new TextEncoder().encode(text("another-host")));
    if (isHeld) assert.ok(handle.tryLock());
    // A program that mounts a share takes no lock away.
    const report = await assertChangesNothing(world, dir.path, behindHook("mount"));
    assert.deepEqual([report.exit_code, report.error?.code], [exit, code]);
    assert.equal(report.items[0].outcome, "done");
    const real = await world.run();
    assert.deepEqual([real.exit_code, real.error?.code], [exit, code]);
    handle.close();
  }
});

Deno.test("S10 S17 a dry run that is told nothing of a lock warns, and judges the others", async () => {
  const text = (host: string) =>
    JSON.stringify({ host, pid: 1, started_at: "2026-01-01T00:00:00Z", run_name: "backup" });
  for (const other of [undefined, "another-host"]) {
    await using dir = await tempDir();
    await using world = await worldOnDisk(dir.path);
    const untold = [`${AT_SOURCE}/.labferry.lock`, `${NAS_ROOT}/.cleanup.lock`];
    for (const path of untold) world.fs.seed({ [path]: text("instrument-1") });
    if (other) world.fs.seed({ [`${SOURCE_ROOT}/study2/.labferry.lock`]: text(other) });
    const { openRead, openReadWrite } = world.fs;
    // NFS for an account that may only read.
    world.fs.openRead = async (path, how) => {
      const handle = await openRead(path, how);
      if (!untold.includes(path)) return handle;
      return { ...handle, tryLock: () => Promise.reject(systemError("EBADF", path)) };
    };
    world.fs.openReadWrite = (path, how) =>
      untold.includes(path) ? Promise.reject(systemError("EACCES", path)) : openReadWrite(path, how);
    const report = await assertChangesNothing(world, dir.path);
    if (other) assert.deepEqual([report.exit_code, report.error?.code], [1, "lock/unprovable"]);
    else {
      assertDone(report);
      Object.assign(world.fs, { openRead, openReadWrite });
      assertDone(await world.run());
    }
  }
});

Deno.test("S10 S17 a dry run that meets a lock of a dead process ends with 0, as a run would", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  const dead = { host: "instrument-1", pid: 1, started_at: "2026-01-01T00:00:00Z", run_name: "backup" };
  world.fs.seed({ [`${AT_SOURCE}/.labferry.lock`]: JSON.stringify(dead) });
  assertDone(await assertChangesNothing(world, dir.path));
  assertDone(await world.run());
});

Deno.test("S17 a dry run of a completed study does not fail for a NAS it cannot see", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  await runAndAfter(world, "record", () => world.store.objects.get("fusion/study1/a.txt")!.etag = "other");
  world.fs.unmount("/nas");
  world.store.hooks = {};
  assertDone(await assertChangesNothing(world, dir.path, behindHook("mount")));
});

Deno.test("S17 a dry run starts no program, wherever a hook stands", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  const ran: string[] = [];
  world.onExec = (argv) => void ran.push(argv.join(" "));
  const hook = (table: string, name: string) =>
    `[[${table}]]\nuse = "hook"\nid = "${name}"\nwith = { argv = ["${name}"] }\n`;
  const pipeline = BACKUP.replace(
    `[[stage]]\nuse = "lock"`,
    `${hook("before", "mount")}${hook("stage", "prepare")}[[stage]]\nuse = "lock"`,
  ) +
    hook("on_item_failed", "tell");
  await assertChangesNothing(world, dir.path, pipeline);
  assert.deepEqual(ran, []);
  await world.run({ pipeline });
  assert.deepEqual(ran, ["mount", "prepare"]);
});

Deno.test("S17 a dry run of a study that would fail says so and changes nothing", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path, { ...FILES, "_checksums.sha256": "x" });
  const report = await assertChangesNothing(world, dir.path);
  assert.equal(report.exit_code, 1);
  assert.equal(report.items[0].error?.code, "item/names");
});
