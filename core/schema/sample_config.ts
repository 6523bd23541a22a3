/** A config in which every key has a value, for examples that read it. Pure. @module */
import type { ConfigView } from "../contract.ts";
import type { Json } from "../json.ts";
import { configJsonSchema } from "./config_schema.ts";
import type { JsonSchema } from "./json_schema.ts";

/** Returns for every key of the config its first example, else its default. */
export function sampleConfig(): ConfigView {
  return valueOf(configJsonSchema()) as ConfigView;
}

function valueOf(schema: JsonSchema): Json {
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([key, inner]) => [key, valueOf(inner)]));
  }
  return schema.examples?.[0] ?? schema.default ?? "example";
}
