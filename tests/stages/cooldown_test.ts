import assert from "node:assert/strict";
import { event } from "../../testing/event_plugins.ts";
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
