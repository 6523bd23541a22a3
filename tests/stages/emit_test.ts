import assert from "node:assert/strict";
import { event, listSource } from "../../testing/event_plugins.ts";
import { World } from "../../testing/world.ts";
import { runOver } from "./_event_world.ts";
import { eventStage } from "../../testing/event_plugins.ts";

Deno.test("emit queues the item as an event, once for each item", async () => {
  const events = [event("line 7", { message: "ERROR x" }, "log:7"), event("line 9", { message: "ERROR y" }, "log:9")];
  const look = eventStage("look", {});
  await using world = await World.open({
    plugins: [listSource(events).plugin, look],
    config: "[notify]\nenabled = true\n",
  });
  const stage = `use = "emit"\nwith = { event = "fusion_error" }`;
  for (let round = 0; round < 2; round++) await runOver(events, [stage], { world });
  const pending = await world.journal.outbox.pending();
  assert.deepEqual(pending.map(({ event, data }) => [event, data]), [
    ["fusion_error", { message: "ERROR x" }],
    ["fusion_error", { message: "ERROR y" }],
  ]);
});

Deno.test("emit is refused by lint with a name no list can have", async () => {
  await using world = await World.open({ plugins: [listSource([]).plugin] });
  const { diagnostics } = world.compile(
    `name = "p"\n[source]\nuse = "list"\n[[stage]]\nuse = "emit"\nwith = { event = "../x" }\n`,
  );
  assert.deepEqual(diagnostics.map(({ code }) => code), ["options/bad-value"]);
});
