/** The JSON Schemas as files. @module */
import type { Registry } from "../core/registry.ts";
import { caseJsonSchema } from "../core/schema/case_schema.ts";
import { configJsonSchema } from "../core/schema/config_schema.ts";
import { pipelineJsonSchema } from "../core/schema/pipeline_schema.ts";

/** A schema as it is written into a folder. */
export interface SchemaFile {
  name: string;
  text: string;
}

/** Returns the schemas of the config, of pipelines with these plugins, and of their cases. */
export function schemaFiles(registry: Registry): SchemaFile[] {
  const text = (schema: object) => `${JSON.stringify(schema, null, 2)}\n`;
  return [
    { name: "config.schema.json", text: text(configJsonSchema()) },
    { name: "pipeline.schema.json", text: text(pipelineJsonSchema(registry)) },
    { name: "case.schema.json", text: text(caseJsonSchema()) },
  ];
}
