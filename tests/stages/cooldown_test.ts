import assert from "node:assert/strict";
import { PipelineError } from "../../core/errors.ts";
import { boxNotifier, event } from "../../testing/event_plugins.ts";
import { runOver } from "./_event_world.ts";

const trouble = (message: string, id: string) => event("toolkit_error", { details: { message } }, id);
const STAGE = `use = "cooldown"\nwith = { events = ["toolkit_error"], window = "300s" }`;
const outcomes = ({ items }: { items: { outcome: string }[] }) => items.map(({ outcome }) => outcome);

Deno.test("cooldown lets one message of a kind pass within its window", async () => {
  const events = [trouble("disk", "1"), trouble("disk", "2"), trouble("net", "3"), event("backup_failure", {}, "4")];
  const first = await runOver(events, [STAGE]);
  await using world = first.world;
  assert.deepEqual(outcomes(first), ["unchanged", "dropped", "unchanged", "unchanged"]);
  assert.match(first.items[1].why ?? "", /told at 2026-01-02T03:04:05\.000Z, less than 300 s ago/);
  world.clock.time += 299_999;
  assert.deepEqual(outcomes(await runOver(events, [STAGE], { world })), ["dropped", "dropped", "dropped", "unchanged"]);
  world.clock.time += 1;
  assert.deepEqual(outcomes(await runOver(events, [STAGE], { world })), [
    "unchanged",
    "dropped",
    "unchanged",
    "unchanged",
  ]);
});

Deno.test("S13 a stamp in the future never prolongs a cooldown", async () => {
  const events = [trouble("disk", "1")];
  const first = await runOver(events, [STAGE]);
  await using world = first.world;
  world.clock.time -= 365 * 86_400_000;
  assert.deepEqual(outcomes(await runOver(events, [STAGE], { world })), ["unchanged"]);
  world.clock.time += 1000;
  assert.deepEqual(outcomes(await runOver(events, [STAGE], { world })), ["dropped"]);
  world.clock.time += 300_000;
  assert.deepEqual(outcomes(await runOver(events, [STAGE], { world })), ["unchanged"]);
});

Deno.test("cooldown compares what `by` names, as many characters as wanted; a window of none lets all pass", async () => {
  const events = [
    event("e", { details: { message: "cycle 1 failed", sample: "a" } }, "1"),
    event("e", { details: { message: "cycle 2 failed", sample: "a" } }, "2"),
    event("e", { details: { message: "cycle 3 failed", sample: "b" } }, "3"),
  ];
  const by = `by = ["details.message", "details.sample"], chars = 6`;
  const some = await runOver(events, [`use = "cooldown"\nwith = { window = "1d", ${by} }`]);
  await using _ = some.world;
  assert.deepEqual(outcomes(some), ["unchanged", "dropped", "unchanged"]);
  const none = await runOver([events[0], events[0]], [`use = "cooldown"\nwith = { window = "0s" }`]);
  await using __ = none.world;
  assert.deepEqual(outcomes(none), ["unchanged", "unchanged"]);
});

Deno.test("cooldown holds once one recipient was told, though another is refused, who is still tried", async () => {
  let refuses = true;
  const box = boxNotifier({
    onDeliver({ to }) {
      if (refuses && to === "bad@x") throw new PipelineError("notify/refused", "Cannot deliver: no such user");
    },
  });
  const told = (id: string) =>
    event("toolkit_error", { details: { message: "disk" }, to: ["bad@x", "dev@x"], subject: "s" }, id);
  const stages = [STAGE, `use = "notify"\nwith = { via = "box" }`];
  const first = await runOver([told("1"), told("2"), told("3")], stages, { plugins: [box.plugin] });
  await using world = first.world;
  assert.deepEqual(outcomes(first), ["failed", "dropped", "dropped"]);
  assert.deepEqual(box.delivered.map(({ id, to }) => [id, to]), [["1", "dev@x"]]);
  refuses = false;
  const again = await runOver([], stages, { world });
  assert.deepEqual(outcomes(again), ["done", "dropped", "dropped"]);
  assert.deepEqual(box.delivered.map(({ id, to }) => [id, to]), [["1", "dev@x"], ["1", "bad@x"]]);
});

Deno.test("cooldown silences nothing while nobody could be told", async () => {
  let isDown = true;
  const box = boxNotifier({
    onDeliver() {
      if (isDown) throw new PipelineError("notify/unreachable", "Cannot reach it: down");
    },
  });
  const told = (id: string) => event("toolkit_error", { details: { message: "disk" }, to: ["a@x"], subject: "s" }, id);
  const stages = [STAGE, `use = "notify"\nwith = { via = "box" }`];
  const first = await runOver([told("1"), told("2")], stages, { plugins: [box.plugin] });
  await using world = first.world;
  assert.deepEqual(outcomes(first), ["failed", "waiting"]);
  isDown = false;
  world.clock.time += 30_000;
  assert.deepEqual(outcomes(await runOver([], stages, { world })), ["done", "dropped"]);
});
