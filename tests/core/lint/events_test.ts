import assert from "node:assert/strict";
import { builtinRegistry } from "../../../cli/project.ts";
import { lintEvents } from "../../../core/lint/events.ts";
import { compilePipeline } from "../../../core/pipeline/compile.ts";
import { loadConfig } from "../../../core/pipeline/config.ts";

function found(stages: string, defined: string[] = []) {
  const { loaded: config } = loadConfig({ path: "/etc/labferry/config.toml", text: "" });
  assert.ok(config);
  const text = `name = "p"\n[source]\nuse = "outbox"\n${stages}`;
  const compiled = compilePipeline({ text, file: "p.toml", config, registry: builtinRegistry(), env: {} });
  assert.ok(compiled.pipeline, JSON.stringify(compiled.diagnostics));
  return lintEvents(compiled.pipeline, defined).map((
    { line, column, length, nearest },
  ) => [line, column, length, nearest]);
}

const hears = (...events: string[]) =>
  `[[stage]]\nuse = "cooldown"\nwith = { window = "5min", events = ${JSON.stringify(events)} }\n`;
const raises = (event: string) => `[[stage]]\nuse = "raise-event"\nwith = { event = "${event}" }\n`;

Deno.test("lintEvents() refuses to wait for an event that nobody defines, where it is named", () => {
  assert.deepEqual(found(hears("toolkit_error", "fusion_eror")), [[6, 53, 13, "fusion_error"]]);
  assert.deepEqual(found(hears("scan_done")), [[6, 37, 11, undefined]]);
  assert.deepEqual(found(hears("scan_done", "nightly_failure"), ["scan_done", "nightly_failure"]), []);
  assert.deepEqual(found(raises("scan_done") + hears("scan_done")), []);
});

Deno.test("lintEvents() lets a stage raise an event of its own, and takes a name nearly known for a misspelling", () => {
  assert.deepEqual(found(raises("scan_done")), []);
  assert.deepEqual(found(raises("fusion_error")), []);
  assert.deepEqual(found(raises("fusion_eror")), [[6, 18, 13, "fusion_error"]]);
});
