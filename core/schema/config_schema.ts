/** The JSON Schema of the config file, for editors. @module */
import { CONFIG_SCHEMA } from "../pipeline/config.ts";
import { DIALECT, type JsonSchema, mapParts, toJsonSchema } from "./json_schema.ts";

/** Returns the schema that `config.toml` names in its first line. */
export function configJsonSchema(): JsonSchema {
  const { properties = {}, ...rest } = toJsonSchema(CONFIG_SCHEMA);
  return {
    $schema: DIALECT,
    title: "The config of labferry",
    ...rest,
    properties: Object.fromEntries(Object.entries(properties).map(([name, section]) => [name, withoutEmpty(section)])),
  };
}

/** A section left out is an empty one: that is no value to propose. */
function withoutEmpty(schema: JsonSchema): JsonSchema {
  const changed = mapParts(schema, withoutEmpty);
  if (schema.type === "object") delete changed.default;
  return changed;
}
