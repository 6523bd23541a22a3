import assert from "node:assert/strict";
import { lintName } from "../../../core/lint/name.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { World } from "../../../testing/world.ts";

Deno.test("lintName() warns of a pipeline that is found under another name than it bears", async () => {
  await using world = await World.open();
  const { pipeline } = world.compile(EMBEDDED_PRESETS.backup.replace('"backup"', '"bakcup"'));
  assert.ok(pipeline);
  assert.deepEqual(lintName(pipeline, "bakcup"), []);
  const [found] = lintName(pipeline, "backup");
  assert.deepEqual([found.code, found.severity], ["pipeline/name-differs", "warning"]);
  assert.match(found.hint ?? "", /write name = "backup", or give the file the name bakcup\.toml/);
});
