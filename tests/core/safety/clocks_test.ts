import assert from "node:assert/strict";
import { SOURCE_ROOT } from "../../kit/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_SOURCE,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

const HOUR = 3_600_000;

Deno.test("S5 a stamp that a wrong clock left in the journal is named, and without the journal the study goes", async () => {
  await using world = await worldWith();
  world.clock.time += 5000 * HOUR;
  const stamp = new Date(world.clock.now()).toISOString().slice(0, 13);
  await world.journal.startRun({
    id: "ahead",
    pipeline: "backup",
    startedAt: new Date(world.clock.now()).toISOString(),
  });
  world.clock.time -= 5000 * HOUR;
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(report.items[0].error?.message ?? "", new RegExp(`journal was written at ${stamp}`));
  assert.match(report.items[0].error?.hint ?? "", /move journal\.db out of the state folder/);
  assertSourceWhole(world);
  await world.loseJournal();
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a clock that is set back during a run removes nothing, and the study goes once it is right", async () => {
  await using world = await worldWith();
  assertFailed(await runAndAfter(world, "record", () => void (world.clock.time -= HOUR)), "destroy/clock");
  assertSourceWhole(world);
  world.clock.time += 2 * HOUR;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a store that does not tell the time permits no destroy, and its name and the cure are said", async () => {
  await using world = await worldWith();
  const { headBucket } = world.store;
  world.store.headBucket = async (signal) => ({ ...await headBucket(signal), serverDate: null });
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(
    report.items[0].error?.message ?? "",
    /s3 does not tell the time \(the answers of its store have no Date\)/,
  );
  assert.match(report.items[0].error?.hint ?? "", /Date header/);
  assertSourceWhole(world);
  world.store.headBucket = headBucket;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a clock over five minutes off the one that stamps the files of a folder permits no destroy", async () => {
  for (const [minutes, goes] of [[4, true], [-4, true], [6, false], [-6, false]] as const) {
    await using world = await worldWith();
    world.fs.disk.setMount("/nas", { aheadMs: minutes * 60_000 });
    const report = await world.run();
    if (goes) {
      assertDone(report);
      assert.deepEqual(world.files(SOURCE_ROOT), {});
      continue;
    }
    assertFailed(report, "destroy/clock");
    assert.match(report.items[0].error?.message ?? "", /the clock of truenas says \d{4}-/);
    assertSourceWhole(world);
    world.fs.disk.setMount("/nas", { aheadMs: 0 });
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  }
});

Deno.test("S13 the stamp of a folder's files is taken anew at each batch", async () => {
  await using world = await worldWith(manyFiles());
  const off = () => world.fs.disk.setMount("/nas", { aheadMs: HOUR });
  assertFailed(await runAndBeforeRemoval(world, 1000, off), "destroy/clock");
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
});

Deno.test("S13 a file system that gives files no time permits no destroy", async () => {
  await using world = await worldWith();
  const { openReadWrite } = world.fs;
  world.fs.openReadWrite = async (path) => {
    const handle = await openReadWrite(path);
    if (!path.endsWith(".cleanup.lock")) return handle;
    const { stat } = handle;
    return Object.assign(handle, { stat: async () => ({ ...await stat(), mtimeMs: null }) });
  };
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(report.items[0].error?.message ?? "", /truenas does not tell the time/);
  assertSourceWhole(world);
});
