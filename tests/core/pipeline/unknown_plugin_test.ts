import assert from "node:assert/strict";
import { builtinRegistry } from "../../../cli/project.ts";
import { sourceText } from "../../../core/pipeline/diagnostic.ts";
import { unknownPlugin, wrongItem } from "../../../core/pipeline/unknown_plugin.ts";

const registry = builtinRegistry();
const source = sourceText("p.toml", "");
const at = { source, span: source.span(0, 0) };

Deno.test("unknownPlugin() names the nearest, the kind it is of, or the name it has now", () => {
  assert.equal(unknownPlugin("stage", { use: "verfy", at, registry }).nearest, "verify");
  assert.match(unknownPlugin("stage", { use: "outbox", at, registry }).message, /it is a source/);
  const former = unknownPlugin("stage", { use: "emit", at, registry });
  assert.deepEqual([former.nearest, former.hint], ["raise-event", `its name is "raise-event" now`]);
  assert.ok(unknownPlugin("stage", { use: "zzz", at, registry }).wanted?.includes("copy"));
});

Deno.test("wrongItem() names the sources a stage fits behind", () => {
  const position = { line: 3 };
  const part = (name: string) => ({ id: name, use: name, plugin: registry.get("stage", name), position });
  const behind = (name: string) => ({
    source: { id: name, use: name, plugin: registry.get("source", name), position },
    registry,
    at,
  });
  assert.equal(wrongItem(part("copy"), behind("idle-folders")), undefined);
  assert.equal(wrongItem(part("lock"), behind("capacity")), undefined);
  assert.equal(wrongItem(part("hook"), behind("outbox")), undefined);
  assert.match(wrongItem(part("render"), behind("idle-folders"))?.hint ?? "", /whose source is log-tail or outbox$/);
  assert.match(wrongItem(part("evict"), behind("idle-folders"))?.hint ?? "", /whose source is capacity$/);
});
