import assert from "node:assert/strict";
import { CASE_SCHEMA } from "../../../core/pipeline/case_schema.ts";
import { caseJsonSchema } from "../../../core/schema/case_schema.ts";
import type { JsonSchema } from "../../../core/schema/json_schema.ts";

/** Keys without words, by their path. */
function bare({ properties = {}, items, anyOf = [] }: JsonSchema, path = ""): string[] {
  const within = Object.entries(properties).flatMap(([key, part]) => [
    ...part.description === undefined ? [`${path}${key}`] : [],
    ...bare(part, `${path}${key}.`),
  ]);
  const parts = [items, ...anyOf].filter((part) => part !== undefined && part !== true);
  return [...within, ...parts.flatMap((part) => bare(part, path))];
}

Deno.test("caseJsonSchema() has every key of a case with its words, those of the config too", () => {
  const schema = caseJsonSchema();
  assert.deepEqual(Object.keys(schema.properties ?? {}), Object.keys(CASE_SCHEMA.shape));
  assert.deepEqual(schema.required, ["summary", "run"]);
  assert.deepEqual(bare(schema), []);
  assert.equal(schema.properties?.config.properties?.backup.properties?.idle_days.default, 14);
});
