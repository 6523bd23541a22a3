import assert from "node:assert/strict";
import { parse } from "@std/toml";
import { benchPipeline } from "../../bench/local.ts";

Deno.test("benchPipeline() writes a configuration and a pipeline that read back as meant", () => {
  const folders = { source: "C:\\in", target: "/out", manifests: "/m" };
  const { config, pipeline } = benchPipeline(folders, "cached");
  // The parser's objects have no prototype.
  assert.deepEqual(JSON.parse(JSON.stringify(parse(config))), {
    paths: { source_root: "C:\\in", truenas_root: "/out", manifest_root: "/m" },
    backup: { idle_days: 14, settle_minutes: 0 },
  });
  const stages = parse(pipeline).stage as { use: string; with?: Record<string, unknown> }[];
  assert.deepEqual(stages.map((stage) => stage.use), ["lock", "copy", "verify", "checksum-sidecar"]);
  assert.equal(stages[1].with!.durability, "cached");
  const cold = parse(benchPipeline(folders, "cold").pipeline).stage as { with?: Record<string, unknown> }[];
  assert.equal(cold[1].with!.durability, undefined, "flushed is the default");
});
