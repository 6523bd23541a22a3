import assert from "node:assert/strict";
import { eventKey, raiseEvent } from "../../stages/raise_event.ts";
import type { EventReadContext } from "../../core/ports.ts";
import { event, eventStage, listSource } from "../../testing/event_plugins.ts";
import { World } from "../../testing/world.ts";
import { runOver } from "./_event_world.ts";

const item = { id: "i", name: "i", kind: "event" as const, data: { log: "/Fusion.log", file: "7:1" } };
const key = (at: number, text: string, nth = 0) => eventKey(item, { at, nth, text });

Deno.test("eventKey() is one for an error of a file, also while its last lines are written", () => {
  assert.equal(key(10, "ERROR a"), key(10, "ERROR a\n  at b"));
  for (const other of [key(11, "ERROR a"), key(10, "ERROR b"), key(10, "ERROR a", 1)]) {
    assert.notEqual(other, key(10, "ERROR a"));
  }
  const elsewhere = { data: { ...item.data, file: "8:1" } };
  assert.notEqual(eventKey(elsewhere, { at: 10, nth: 0, text: "ERROR a" }), key(10, "ERROR a"));
});

Deno.test("raise-event says what, when, where and of what, and cuts what is too long", async () => {
  const stage = await raiseEvent.open({ event: "fusion_error" }, {} as never);
  const text = `[2026-01-02 03:04:05,678] ERROR Pump stalled\n${"x".repeat(20_000)}`;
  const blocks = [{ at: 10, nth: 0, text, found: { sample: "A1" }, repeats: 3 }];
  const ctx = { run: { host: "fusion-pc" } } as EventReadContext;
  const [step, ...others] = await Array.fromAsync(stage.plan({ ...item, data: { ...item.data, blocks } }, ctx));
  assert.equal(others.length, 0);
  assert.ok(step.kind === "todo");
  assert.equal(step.summary, "fusion_error: ERROR Pump stalled");
  const { text: told, ...details } = step.data;
  assert.deepEqual(details, {
    sample: "A1",
    message: "ERROR Pump stalled",
    at: "2026-01-02 03:04:05,678",
    log: "/Fusion.log",
    offset: 10,
    repeats: 3,
    host: "fusion-pc",
  });
  assert.match(String(told), /^\[2026-01-02 03:04:05,678\] ERROR Pump stalled\nx+\n… 4045 more characters$/);
});

Deno.test("raise-event cuts a message that no subject can hold, between two characters", async () => {
  const stage = await raiseEvent.open({ event: "fusion_error" }, {} as never);
  const ctx = { run: { host: "fusion-pc" } } as EventReadContext;
  for (const [first, wanted] of [["x".repeat(1001), `${"x".repeat(999)}…`], ["x".repeat(1000), "x".repeat(1000)]]) {
    const blocks = [{ at: 0, nth: 0, text: `2026-01-02 03:04:05 ${first}` }];
    const [step] = await Array.fromAsync(stage.plan({ ...item, data: { ...item.data, blocks } }, ctx));
    assert.equal(step.kind === "todo" && step.data.message, wanted);
  }
  const blocks = [{ at: 0, nth: 0, text: `${"x".repeat(998)}😀${"y".repeat(9)}` }];
  const [step] = await Array.fromAsync(stage.plan({ ...item, data: { ...item.data, blocks } }, ctx));
  assert.equal(step.kind === "todo" && step.data.message, `${"x".repeat(998)}…`);
});

Deno.test("raise-event queues an item without errors of a log as it is, once for each event and item", async () => {
  const events = [event("line 7", { message: "ERROR x" }, "log:7"), event("line 9", { message: "ERROR y" }, "log:9")];
  await using world = await World.open({
    plugins: [listSource(events).plugin, eventStage("look", {})],
    config: "[notify]\nenabled = true\n",
  });
  const stages = ["fusion_error", "lab_error"].map((name) =>
    `use = "raise-event"\nid = "${name}"\nwith = { event = "${name}" }`
  );
  for (let round = 0; round < 2; round++) await runOver(events, stages, { world });
  const pending = await world.journal.outbox.pending();
  assert.deepEqual(pending.map(({ event, data }) => [event, data]), [
    ["fusion_error", { message: "ERROR x" }],
    ["lab_error", { message: "ERROR x" }],
    ["fusion_error", { message: "ERROR y" }],
    ["lab_error", { message: "ERROR y" }],
  ]);
});

Deno.test("raise-event is refused by lint with a name no list can have", async () => {
  await using world = await World.open({ plugins: [listSource([]).plugin] });
  const { diagnostics } = world.compile(
    `name = "p"\n[source]\nuse = "list"\n[[stage]]\nuse = "raise-event"\nwith = { event = "../x" }\n`,
  );
  assert.deepEqual(diagnostics.map(({ code }) => code), ["options/bad-value"]);
});
