/** The JSON Schema of case files, for editors. @module */
import { CASE_SCHEMA } from "../pipeline/case_schema.ts";
import { configJsonSchema } from "./config_schema.ts";
import { DIALECT, type JsonSchema, toJsonSchema } from "./json_schema.ts";

/** Returns the schema that a `.case.toml` file names in its first line. */
export function caseJsonSchema(): JsonSchema {
  const { properties = {}, ...rest } = toJsonSchema(CASE_SCHEMA);
  const { $schema: _, title: __, ...config } = configJsonSchema();
  const { description } = properties.config;
  return {
    $schema: DIALECT,
    title: "A case of a pipeline of labferry",
    ...rest,
    properties: { ...properties, config: { ...config, description } },
  };
}
