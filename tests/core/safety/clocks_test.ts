import assert from "node:assert/strict";
import { SOURCE_ROOT } from "../../kit/world.ts";
import { assertDone, assertFailed, assertSourceWhole, runAndAfter, worldWith } from "../../kit/rules.ts";

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
