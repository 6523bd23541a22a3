/** The JSON Schemas as files. @module */
import type { Registry } from "../core/registry.ts";
import { configJsonSchema } from "../core/schema/config_schema.ts";
import { pipelineJsonSchema } from "../core/schema/pipeline_schema.ts";

/** A schema as it is written into a folder. */
export interface SchemaFile {
  name: string;
  text: string;
}

/** Returns the schemas of the config, and of pipelines with these plugins. */
export function schemaFiles(registry: Registry): SchemaFile[] {
  const text = (schema: object) => `${JSON.stringify(schema, null, 2)}\n`;
  return [
    { name: "config.schema.json", text: text(configJsonSchema()) },
    { name: "pipeline.schema.json", text: text(pipelineJsonSchema(registry)) },
  ];
}
