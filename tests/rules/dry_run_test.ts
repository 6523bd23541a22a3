import assert from "node:assert/strict";
import { join } from "@std/path";
import { openJournal } from "../../core/journal/sqlite.ts";
import type { RunReport } from "../../core/run/report.ts";
import type { FaultCall } from "../kit/memory_file_system.ts";
import { failure } from "../kit/memory_object_store.ts";
import { tempDir } from "../kit/temp.ts";
import { BACKUP, NAS_ROOT, type World } from "../kit/world.ts";
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
  await using copy = await openJournal(join(journal, "journal.db"), { readonlyCopy: true });
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

Deno.test("S17 a dry run on places it cannot see says so, and plans nevertheless", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  world.fs.unmount("/nas");
  const report = await assertChangesNothing(world, dir.path);
  assertDone(report);
  assert.ok(
    world.log.lines.some((line) => line.level === "warn" && line.message.includes("truenas could not be seen")),
  );
  assert.equal(applied(report).truenas, 3);
  assert.equal(world.fs.disk.lstat(NAS_ROOT), undefined);
});

Deno.test("S17 a dry run of a completed study does not fail for a NAS it cannot see", async () => {
  await using dir = await tempDir();
  await using world = await worldOnDisk(dir.path);
  await runAndAfter(world, "record", () => world.store.objects.get("fusion/study1/a.txt")!.etag = "other");
  world.fs.unmount("/nas");
  world.store.hooks = {};
  assertDone(await assertChangesNothing(world, dir.path));
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
