/**
 * Walks a zod schema beside a value: which keys it knows, which strings are paths.
 * @module
 */
import { z } from "zod";
import type { Json } from "../json.ts";

type AnySchema = z.core.$ZodType;

/** Takes optional, default, nullable and the like off a schema; of a pipe, the side that reads input. */
export function bareSchema(schema: AnySchema): AnySchema {
  let bare = schema;
  for (;;) {
    if (
      bare instanceof z.ZodOptional || bare instanceof z.ZodDefault || bare instanceof z.ZodPrefault ||
      bare instanceof z.ZodNullable || bare instanceof z.ZodNonOptional || bare instanceof z.ZodReadonly ||
      bare instanceof z.ZodCatch
    ) {
      bare = bare.def.innerType;
    } else if (bare instanceof z.ZodPipe) {
      bare = bare.def.in;
    } else if (bare instanceof z.ZodLazy) {
      bare = bare.def.getter();
    } else {
      return bare;
    }
  }
}

/** Keys an object schema knows at a path below it; empty where there is no object. */
export function knownKeys(schema: AnySchema, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, path);
  const options = found instanceof z.ZodUnion ? found.def.options.map(bareSchema) : found ? [found] : [];
  return options.flatMap((option) => option instanceof z.ZodObject ? Object.keys(option.shape) : []);
}

function schemaAt(schema: AnySchema, path: readonly PropertyKey[]): AnySchema | undefined {
  let at: AnySchema | undefined = bareSchema(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = (at.shape as Record<string, AnySchema>)[String(step)];
    else if (at instanceof z.ZodArray) at = at.def.element;
    else if (at instanceof z.ZodRecord) at = at.def.valueType as AnySchema;
    else return undefined;
    if (at === undefined) return undefined;
    at = bareSchema(at);
  }
  return at;
}

/** What a schema, or one it wraps, carries under a key of its `meta`. */
export function metaOf(schema: AnySchema, key: string): unknown {
  for (let at: AnySchema = schema;;) {
    const meta = z.globalRegistry.get(at) as Record<string, unknown> | undefined;
    if (meta?.[key] !== undefined) return meta[key];
    if (!("innerType" in at._zod.def)) return undefined;
    at = at._zod.def.innerType as AnySchema;
  }
}

/** Whether a schema is of a string that holds a path (`pathOption` marks it so). */
function isPath(schema: AnySchema): boolean {
  return metaOf(schema, "format") === "path";
}

export interface WalkVisitor {
  /** A key that the object schema at `path` does not know. */
  unknownKey?(path: (string | number)[], known: string[]): void;
  /** A string the schema says is a path; the result replaces it. */
  path?(text: string, path: (string | number)[]): string;
  /** A string the schema says is the name of a plugin of `kind` (`.meta({ plugin: "standard" })`). */
  plugin?(name: string, kind: string, path: (string | number)[]): void;
  /** A string the schema says is the name of an event (`.meta({ event: "raises" })`, or `"hears"`). */
  event?(name: string, role: string, path: (string | number)[]): void;
}

/**
 * Walks `value` beside `schema`; returns the value with its paths replaced. Of a union, the one branch of the value's
 * own type is entered; where there are several, none is.
 */
export function walkSchema(schema: AnySchema, value: Json, visitor: WalkVisitor): Json {
  return visit(schema, value, { visitor, path: [] });
}

function visit(schema: AnySchema, value: Json, at: { visitor: WalkVisitor; path: (string | number)[] }): Json {
  if (typeof value === "string") {
    const kind = metaOf(schema, "plugin");
    if (typeof kind === "string") at.visitor.plugin?.(value, kind, at.path);
    const role = metaOf(schema, "event");
    if (typeof role === "string") at.visitor.event?.(value, role, at.path);
    if (isPath(schema) && at.visitor.path) return at.visitor.path(value, at.path);
  }
  const bare = bareSchema(schema);
  if (bare instanceof z.ZodUnion) {
    const fitting = bare.def.options.filter((option) => isOfType(bareSchema(option), value));
    return fitting.length === 1 ? visit(fitting[0], value, at) : value;
  }
  const into = (step: string | number) => ({ visitor: at.visitor, path: [...at.path, step] });
  if (Array.isArray(value)) {
    if (!(bare instanceof z.ZodArray)) return value;
    return value.map((entry, index) => visit(bare.def.element, entry, into(index)));
  }
  if (value === null || typeof value !== "object") return value;
  if (bare instanceof z.ZodRecord) {
    return mapValues(value, (entry, key) => visit(bare.def.valueType as AnySchema, entry, into(key)));
  }
  if (!(bare instanceof z.ZodObject)) return value;
  const shape = bare.shape as Record<string, AnySchema>;
  const open = bare.def.catchall !== undefined && !(bare.def.catchall instanceof z.ZodNever);
  return mapValues(value, (entry, key) => {
    if (Object.hasOwn(shape, key)) return visit(shape[key], entry, into(key));
    if (!open) at.visitor.unknownKey?.([...at.path, key], Object.keys(shape));
    return entry;
  });
}

function isOfType(bare: AnySchema, value: Json): boolean {
  if (typeof value === "string") return bare instanceof z.ZodString;
  if (Array.isArray(value)) return bare instanceof z.ZodArray;
  return value !== null && typeof value === "object" && (bare instanceof z.ZodObject || bare instanceof z.ZodRecord);
}

function mapValues(
  value: { [key: string]: Json },
  change: (entry: Json, key: string) => Json,
): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, change(entry, key)]));
}
