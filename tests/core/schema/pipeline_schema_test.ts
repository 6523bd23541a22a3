import assert from "node:assert/strict";
import { builtinRegistry } from "../../../cli/project.ts";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { createRegistry } from "../../../core/registry.ts";
import type { JsonSchema } from "../../../core/schema/json_schema.ts";
import { pipelineJsonSchema } from "../../../core/schema/pipeline_schema.ts";
import { stages } from "../../../stages/mod.ts";
import { plugins } from "../../../plugins/mod.ts";

const ZIP = defineStage({
  kind: "stage",
  name: "zip-previews",
  summary: "Zips previews.",
  takes: "tree",
  effect: "create",
  resume: "redo",
  options: z.strictObject({ level: z.number().int().meta({ description: "How hard it is pressed." }) }),
  example: "",
  open: () => ({ async *plan() {}, apply: () => Promise.resolve() }),
});

function useOf(list: JsonSchema | undefined): unknown {
  return (list?.items ?? list)?.properties?.use.enum;
}

Deno.test("pipelineJsonSchema() lists for each table the plugins that may stand there", () => {
  const registry = builtinRegistry();
  const { properties = {} } = pipelineJsonSchema(registry);
  assert.deepEqual(useOf(properties.stage), registry.names("stage"));
  assert.deepEqual(useOf(properties.source), registry.names("source"));
  assert.deepEqual(useOf(properties.before), ["hook"]);
  assert.deepEqual(useOf(properties.on_item_failed), ["hook", "manifest-append"]);
});

Deno.test("pipelineJsonSchema() says of every option what it is, what it defaults to and whose it is", () => {
  const { definitions = {} } = pipelineJsonSchema(builtinRegistry());
  for (const { name, options } of stages) {
    const made = definitions[`stage-${name}`];
    assert.deepEqual(Object.keys(made.properties ?? {}), Object.keys(options.shape), name);
    for (const option of Object.values(made.properties ?? {})) {
      assert.ok(option.description?.endsWith(`. (${name})`), `${name}: ${option.description}`);
    }
  }
  assert.deepEqual(definitions["stage-notify"].properties?.via.anyOf?.[0], {
    description: "Name of the notifier. (notify)",
    default: "email",
    enum: ["email", "slack", "webhook"],
  });
});

Deno.test("pipelineJsonSchema() refers to nothing that is not in it", () => {
  const schema = pipelineJsonSchema(builtinRegistry());
  const names = [...JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 20);
  for (const name of names) assert.ok(Object.hasOwn(schema.definitions ?? {}, name), name);
});

Deno.test("pipelineJsonSchema() knows a stage from outside", () => {
  const external = [{ plugin: ZIP as AnyStage, origin: { file: "/zip.ts", sha256: "0", pinned: false } }];
  const registry = createRegistry([...stages, ...plugins], { external });
  const { definitions = {}, properties = {} } = pipelineJsonSchema(registry);
  assert.ok((useOf(properties.stage) as string[]).includes("zip-previews"));
  assert.deepEqual(definitions["stage-zip-previews"].required, ["level"]);
});
