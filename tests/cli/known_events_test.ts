import assert from "node:assert/strict";
import { definedEvents } from "../../cli/known_events.ts";
import { builtinRegistry } from "../../cli/project.ts";

Deno.test("definedEvents() gives what pipelines raise and the events of their failures", () => {
  const text =
    `name = "scans"\n[source]\nuse = "outbox"\n[[stage]]\nuse = "raise-event"\nwith = { event = "scan_done" }\n` +
    `[[stage]]\nuse = "cooldown"\nwith = { window = "1s", events = ["heard"] }\n[[stage]]\nuse = "gone"\n`;
  const pipelines = [{ name: "scans", text }, { name: "monitor", text: "" }, { name: "broken", text: "[[stage" }];
  const events = definedEvents(pipelines, builtinRegistry());
  assert.deepEqual([...events].sort(), ["broken_failure", "monitor_crash", "scan_done", "scans_failure"]);
});
