/**
 * The JSON Schema of pipelines, for editors: the grammar of the engine, and under `with` the options of the plugin that
 * `use` names. Made from the registry, so that it knows stages from outside, too.
 * @module
 */
import type { z } from "zod";
import type { AnyStage, Plugin } from "../contract.ts";
import { PIPELINE_SCHEMA } from "../pipeline/pipeline_file.ts";
import { metaOf } from "../pipeline/schema_walk.ts";
import type { Registry } from "../registry.ts";
import { allowTemplates, DIALECT, type JsonSchema, mapParts, toJsonSchema } from "./json_schema.ts";

type WithOptions = Plugin & { options: z.ZodObject };

/** Returns the schema that a pipeline names in its first line. */
export function pipelineJsonSchema(registry: Registry): JsonSchema {
  const { properties = {}, definitions: _, ...rest } = toJsonSchema(PIPELINE_SCHEMA);
  const stages = registry.list("stage");
  const sources = registry.list("source");
  const plugins = [...stages, ...sources, ...registry.list("notifier")];
  const definitions = Object.assign({}, ...plugins.map((plugin) => optionsOf(plugin, registry)));
  const { source, before, stage, on_item_failed: failed, ...others } = properties;
  const list = (of: JsonSchema, known: readonly WithOptions[]): JsonSchema => {
    const { default: _, items = {}, ...words } = of;
    return { ...words, items: entry(items, known) };
  };
  return {
    $schema: DIALECT,
    title: "A pipeline of labferry",
    ...rest,
    properties: {
      ...others,
      source: entry(source, sources),
      before: list(before, stages.filter((plugin) => plugin.before === true)),
      stage: list(stage, stages),
      on_item_failed: list(failed, stages.filter((plugin) => plugin.onItemFailed === true)),
    },
    definitions,
  };
}

/** Name of the definition of a plugin's options. */
function definitionOf({ kind, name }: Plugin): string {
  return `${kind}-${name}`;
}

function referTo(plugin: Plugin): JsonSchema {
  return { $ref: `#/definitions/${definitionOf(plugin)}` };
}

/** One entry with `use`; what may stand under `with` follows from it. */
function entry(schema: JsonSchema, plugins: readonly WithOptions[]): JsonSchema {
  const known = plugins.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const { use, with: _, ...keys } = schema.properties ?? {};
  return {
    ...schema,
    properties: {
      use: {
        description: use?.description,
        type: "string",
        enum: known.map(({ name }) => name),
        "x-taplo": { docs: { enumValues: known.map(({ summary }) => summary) } },
      },
      ...keys,
      // Always met, and what editors complete from: they do not follow conditions.
      with: {
        description: "Options of the plugin.",
        type: "object",
        anyOf: [...known.filter(hasOptions).map(referTo), true],
      },
    },
    ...choose(known),
  };
}

function hasOptions({ options }: WithOptions): boolean {
  return Object.keys(options.shape).length > 0;
}

/** `if` the first plugin is used, `then` its options, `else` the next one. Exact messages need conditions. */
function choose([plugin, ...others]: readonly WithOptions[]): JsonSchema {
  if (plugin === undefined) return {};
  const isRequired = (toJsonSchema(plugin.options).required ?? []).length > 0;
  return {
    if: { properties: { use: { const: plugin.name } }, required: ["use"] },
    then: { properties: { with: referTo(plugin) }, ...isRequired ? { required: ["with"] } : {} },
    ...others.length === 0 ? {} : { else: choose(others) },
  };
}

/** The definition of a plugin's options, and those of schemas that refer to themselves. */
function optionsOf(plugin: WithOptions, registry: Registry): Record<string, JsonSchema> {
  const { definitions = {}, properties = {}, ...rest } = toJsonSchema(plugin.options);
  const own = definitionOf(plugin);
  const found: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(definitions)) found[`${own}-${name}`] = inOwnNames(schema, own);
  const named = Object.entries(properties).map(([name, property]) => {
    const option = namesOfPlugins(property, { schema: plugin.options.shape[name], registry });
    // Where an editor shows the options of several plugins, it must be seen whose this one is.
    const description = `${option.description ?? ""} (${plugin.name})`.trim();
    return [name, allowTemplates(inOwnNames({ ...option, description }, own))];
  });
  found[own] = {
    title: `Options of ${plugin.name}`,
    ...rest,
    properties: Object.fromEntries(named),
    ...plugin.kind === "stage" ? handedOn(plugin, registry) : {},
  };
  return found;
}

/** Options a stage hands on to the plugin that one of its options names: they follow from that name. */
function handedOn(stage: AnyStage, registry: Registry): JsonSchema {
  for (const [option, schema] of Object.entries(stage.options.shape as Record<string, z.core.$ZodType>)) {
    const kind = metaOf(schema, "plugin");
    if (stage.uses === undefined || typeof kind !== "string") continue;
    const absent = stage.options.safeParse({}).data?.[option];
    let chain: JsonSchema = {};
    for (const name of registry.names(kind as Plugin["kind"])) {
      const parsed = stage.options.safeParse({ [option]: name });
      const use = parsed.success ? stage.uses(parsed.data).find((one) => one.name === name) : undefined;
      if (use === undefined || use.at.length !== 1) continue;
      const target = { $ref: `#/definitions/${use.kind}-${name}` };
      chain = {
        if: { properties: { [option]: { const: name } }, ...name === absent ? {} : { required: [option] } },
        then: { properties: { [use.at[0]]: target } },
        ...Object.keys(chain).length === 0 ? {} : { else: chain },
      };
    }
    return chain;
  }
  return {};
}

/** An option that names a plugin takes the names there are. */
function namesOfPlugins(
  option: JsonSchema,
  { schema, registry }: { schema: z.core.$ZodType; registry: Registry },
): JsonSchema {
  const kind = metaOf(schema, "plugin");
  if (option.type !== "string" || typeof kind !== "string") return option;
  return { ...option, enum: registry.names(kind as Plugin["kind"]) };
}

function inOwnNames(schema: JsonSchema, own: string): JsonSchema {
  const changed = mapParts(schema, (part) => inOwnNames(part, own));
  if (schema.$ref !== undefined) changed.$ref = schema.$ref.replace("#/definitions/", `#/definitions/${own}-`);
  return changed;
}
