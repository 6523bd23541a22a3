import assert from "node:assert/strict";
import { configKeys } from "../../../core/pipeline/config.ts";
import { configJsonSchema } from "../../../core/schema/config_schema.ts";

Deno.test("configJsonSchema() has every section and key of the config, each with its words", () => {
  const { properties = {} } = configJsonSchema();
  assert.deepEqual(Object.keys(properties), configKeys([]));
  for (const [name, section] of Object.entries(properties)) {
    assert.deepEqual(Object.keys(section.properties ?? {}), configKeys([name]), name);
    for (const [key, value] of Object.entries(section.properties ?? {})) {
      assert.match(value.description ?? "", /\.$/, key);
    }
    assert.equal(section.additionalProperties, false);
    assert.equal(section.default, undefined);
  }
  assert.equal(properties.backup.properties?.idle_days.default, 14);
});
