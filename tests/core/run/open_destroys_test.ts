import assert from "node:assert/strict";
import { PLACE_MARKER_NAME } from "../../../core/io/names.ts";
import { CrashError, systemError } from "../../../testing/memory_file_system.ts";
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { runAndBeforeRemoval } from "../../kit/rules.ts";
import { rememberMarker } from "../../../core/safety/known_markers.ts";

const OTHER_DISK = "00000000-0000-4000-8000-0000000000aa";

Deno.test("S22 takeUpDestroys() says in the ledger that a folder is gone only after that is on the medium", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === SOURCE_ROOT) throw new CrashError();
  };
  await world.run();
  assert.equal(Object.keys(world.files(SOURCE_ROOT)).length, 0);
  world.fs.restart();
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  const acts: string[] = [];
  world.fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === SOURCE_ROOT) acts.push("the removal is flushed");
    if (operation === "sync" && path.startsWith(MANIFEST_ROOT)) acts.push("the ledger says so");
  };
  assert.equal((await world.run()).exit_code, 0);
  assert.deepEqual(acts, ["the removal is flushed", "the ledger says so"]);
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S3 takeUpDestroys() does not take a study for removed because another disk is marked at its path", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  world.fs.unmount("/instrument");
  const marker = `${SOURCE_ROOT}/${PLACE_MARKER_NAME}`;
  for (const name of ["", "study1/new.txt"]) {
    world.fs.seed({ [marker]: `${OTHER_DISK}\n` });
    // Replaced on purpose, as `install places --replaced` notes it.
    await rememberMarker(world.journal.cursors, SOURCE_ROOT, { uuid: OTHER_DISK });
    if (name !== "") world.fs.seed({ [`${SOURCE_ROOT}/${name}`]: "another instrument's" });
    await world.run();
    const record = (await world.ledger()).get("study1");
    assert.notEqual(record?.source_deleting_at, null, name);
    assert.equal(record?.source_deleted_at, null, name);
  }
  assert.ok(world.log.lines.some((line) => line.message.includes("on another disk than the one at")));
  world.fs.remount("/instrument");
  await rememberMarker(world.journal.cursors, SOURCE_ROOT, { uuid: "00000000-0000-4000-8000-000000000001" });
  assert.equal((await world.run()).exit_code, 0);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S3 takeUpDestroys() leaves a removal open when no place tells from which disk it was", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === SOURCE_ROOT) throw new CrashError();
  };
  await world.run();
  world.fs.fault = undefined;
  world.fs.restart();
  world.fs.disk.removeFile(`${NAS_ROOT}/.labferry/claims/study1.json`);
  world.store.objects.delete("fusion/_claims/study1.json");
  await world.run();
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  assert.ok(world.log.lines.some((line) => line.message.includes("no place tells from which disk")));
});

Deno.test("S19 takeUpDestroys() reports a half-removed study it cannot look at, and the others go on", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  world.study("study2", { "a.txt": "alpha" });
  world.fs.fault = ({ operation, path }) => {
    if (operation === "lstat" && path === `${SOURCE_ROOT}/study1`) throw systemError("EIO");
  };
  const report = await world.run();
  assert.equal(report.exit_code, 1);
  assert.equal(report.error, undefined, report.error?.message);
  assert.deepEqual(report.items.map(({ name, outcome }) => `${name} ${outcome}`), ["study1 failed", "study2 done"]);
  assert.match(report.items[0].error?.message ?? "", /study1/);
  world.fs.fault = undefined;
  assert.equal((await world.run()).exit_code, 0);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S22 takeUpDestroys() takes up in byte order of the names, also of those beyond U+FFFF", async () => {
  await using world = await World.open();
  const names = ["\uFF41", "\u{1D400}"]; // UTF-16 has the second one first
  for (const only of names) {
    world.study(only, { "a.txt": "alpha", "b.txt": "beta" });
    await runAndBeforeRemoval(world, 2, () => world.fs.crash(), { only }).catch(() => {});
    world.fs.restart();
  }
  const report = await world.run();
  assert.deepEqual(report.items.map(({ name }) => name), names);
});

Deno.test("S12 takeUpDestroys() adds no line to a ledger that is contradicted, whatever became of the folder", async () => {
  for (const became of ["gone", "another's"]) {
    await using world = await World.open();
    world.study("study1", { "a.txt": "alpha" });
    assert.equal((await world.run()).exit_code, 0);
    const [month] = Object.keys(world.fs.tree(MANIFEST_ROOT)).filter((path) => path.endsWith(".jsonl"));
    const whole = new TextDecoder().decode(world.fs.bytes(month));
    const cut = `${whole.split("\n").slice(0, -2).join("\n")}\n`;
    world.fs.seed({ [month]: cut });
    // Not idle, so that nothing else is recorded of it.
    if (became === "another's") world.study("study1", { "a.txt": "alpha" }, 1);
    world.clock.time += 60_000;
    const report = await world.run();
    assert.deepEqual([report.exit_code, report.error?.code], [1, "ledger/contradicted"], became);
    assert.equal(new TextDecoder().decode(world.fs.bytes(month)), cut, became);
    world.fs.seed({ [month]: whole });
    assert.equal((await world.run()).exit_code, 0, "once it is put back as it was");
  }
});
