import assert from "node:assert/strict";
import { CONFIG_SCHEMA } from "../../../core/pipeline/config.ts";
import { sampleConfig } from "../../../core/schema/sample_config.ts";

Deno.test("sampleConfig() sets every key to a value the config takes", () => {
  const sample = sampleConfig();
  assert.ok(CONFIG_SCHEMA.safeParse(sample).success);
  assert.equal(sample.backup.idle_days, 14);
  assert.ok(Array.isArray(sample.hooks.backup) && sample.hooks.backup.length > 0);
});
