/**
 * JSON Schema made of zod schemas, in the form editors of TOML understand (draft-07: the TOML language servers validate
 * with it, and with nothing later). Pure.
 * @module
 */
import { z } from "zod";
import type { Json } from "../json.ts";

/** A JSON Schema, or a part of one. */
export interface JsonSchema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: (JsonSchema | true)[];
  enum?: Json[];
  const?: Json;
  default?: Json;
  examples?: Json[];
  pattern?: string;
  definitions?: Record<string, JsonSchema>;
  [keyword: string]: unknown;
}

/** The dialect both schemas are written in. */
export const DIALECT = "http://json-schema.org/draft-07/schema#";

/** Keys of `meta` that speak to labferry, and that a strict validator would refuse. */
const OWN_KEYS = ["unit", "plugin", "event", "written", "example"];

/** Returns a zod schema, as people write its input, as JSON Schema without what is labferry's own. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", target: "draft-07" });
  const { $schema: _, ...rest } = made;
  return tidy(rest as JsonSchema);
}

/** Takes labferry's own keys away: an example becomes one of a list, a unit a part of the words. */
function tidy(schema: JsonSchema): JsonSchema {
  const changed = mapParts(schema, tidy);
  const { example, unit, written } = schema;
  if (example !== undefined) changed.examples = [...schema.examples ?? [], example as Json];
  if (typeof unit === "string" && written === undefined) {
    changed.description = `${schema.description ?? ""} Unit: ${unit}.`.trim();
  }
  // The range of a safe integer is no rule of an option.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete changed.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete changed.minimum;
  if (schema.format === "path") delete changed.format;
  for (const key of OWN_KEYS) delete changed[key];
  return changed;
}

/** Returns a copy of a schema with each schema directly within it changed. */
export function mapParts(schema: JsonSchema, change: (part: JsonSchema) => JsonSchema): JsonSchema {
  const copy: JsonSchema = { ...schema };
  if (schema.properties) copy.properties = mapValues(schema.properties, change);
  if (schema.definitions) copy.definitions = mapValues(schema.definitions, change);
  if (schema.items) copy.items = change(schema.items);
  if (schema.anyOf) copy.anyOf = schema.anyOf.map((part) => part === true ? part : change(part));
  if (typeof schema.additionalProperties === "object") copy.additionalProperties = change(schema.additionalProperties);
  return copy;
}

function mapValues<T>(record: Record<string, T>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** What a text that holds a template looks like. */
const TEMPLATE = "\\$\\{";

/**
 * Returns the schema of an option so that a template (`"${…}"`) may stand for its value, and for every value within.
 * Keywords of JSON Schema concern values of their own type only, so that a text beside them needs no alternative, and
 * an editor can still say exactly which entry is wrong.
 */
export function allowTemplates(schema: JsonSchema): JsonSchema {
  if (schema.$ref !== undefined) return schema;
  const within = mapParts(schema, allowTemplates);
  if (schema.enum?.every((value) => typeof value === "string")) return enumOrTemplate(within);
  if (schema.anyOf) return unionOrTemplate(schema, within);
  if (schema.enum || "const" in schema) return { ...annotations(within), anyOf: [within, { pattern: TEMPLATE }] };
  if (schema.type === "string") return textOrTemplate(within);
  if (typeof schema.type !== "string") return within;
  return { ...within, type: [schema.type, "string"], pattern: TEMPLATE };
}

function textOrTemplate(schema: JsonSchema): JsonSchema {
  const { format: _, ...rest } = schema;
  return rest.pattern === undefined ? rest : { ...rest, pattern: `(?:${rest.pattern})|${TEMPLATE}` };
}

/** The pattern refuses what is neither; `anyOf` is always met, and gives editors the values to complete. */
function enumOrTemplate(schema: JsonSchema): JsonSchema {
  const words = (schema.enum ?? []).map((value) => String(value).replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return {
    ...annotations(schema),
    type: "string",
    pattern: `^(?:${words.join("|")})$|${TEMPLATE}`,
    anyOf: [{ ...annotations(schema), enum: schema.enum }, true],
  };
}

/** A number or a text: one schema of both types, whose messages are exact. */
function unionOrTemplate(schema: JsonSchema, within: JsonSchema): JsonSchema {
  const parts = (schema.anyOf ?? []).filter((part) => part !== true);
  const types = parts.map((part) => part.type);
  const isPlain = parts.every((part) => !part.enum && !("const" in part) && !part.anyOf && !part.$ref) &&
    types.every((type) => typeof type === "string") && new Set(types).size === types.length;
  if (!isPlain) return { ...within, anyOf: [...within.anyOf ?? [], { type: "string", pattern: TEMPLATE }] };
  const { anyOf: _, ...rest } = within;
  const merged: JsonSchema = { ...Object.assign({}, ...parts.map((part) => mapParts(part, allowTemplates))), ...rest };
  const pattern = parts.find((part) => part.type === "string")?.pattern;
  merged.type = [...new Set([...types as string[], "string"])];
  if (!types.includes("string")) merged.pattern = TEMPLATE;
  else if (pattern !== undefined) merged.pattern = `(?:${pattern})|${TEMPLATE}`;
  return merged;
}

function annotations({ title, description, default: value, examples }: JsonSchema): JsonSchema {
  return {
    ...title === undefined ? {} : { title },
    ...description === undefined ? {} : { description },
    ...value === undefined ? {} : { default: value },
    ...examples === undefined ? {} : { examples },
  };
}
