/** What is wrong with a value that code from outside gave, field by field: what was found, and what was wanted. @module */
import { nearestName } from "../pipeline/nearest.ts";

/** A field of an object: what it must be, as a test and in words. */
export interface Field {
  wanted: string;
  is(value: unknown): boolean;
  /** May be left out. */
  optional?: true;
}

export const text: Field = {
  wanted: "a text",
  is: (value) => typeof value === "string" && value.trim() !== "",
};
export const anyText: Field = { wanted: "a text", is: (value) => typeof value === "string" };
export const flag: Field = { wanted: "true or false", is: (value) => typeof value === "boolean" };
export const list: Field = { wanted: "a list", is: Array.isArray };
export const functionField: Field = { wanted: "a function", is: (value) => typeof value === "function" };

export function oneOf(...values: readonly string[]): Field {
  return {
    wanted: values.length === 1 ? `"${values[0]}"` : `one of ${values.map((value) => `"${value}"`).join(", ")}`,
    is: (value) => typeof value === "string" && values.includes(value),
  };
}

export function optional(field: Field): Field {
  return { ...field, optional: true };
}

/** Returns one line for each field that is not as wanted; fields that nobody knows are wrong, too. */
export function fieldFaults(value: object, fields: Readonly<Record<string, Field>>): string[] {
  const given = value as Record<string, unknown>;
  const faults: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const found = given[name];
    if (found === undefined ? field.optional : field.is(found)) continue;
    faults.push(`"${name}": found ${shown(found)}, wanted ${field.wanted}`);
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue;
    const near = nearestName(name, Object.keys(fields));
    faults.push(
      `"${name}": found ${shown(given[name])}, wanted no such field${near ? ` (did you mean "${near}")` : ""}`,
    );
  }
  return faults;
}

const LONGEST_SHOWN = 60;

/** A value in a few words. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "function") return "a function";
  if (typeof value === "string") {
    if (value === "") return "an empty text";
    return JSON.stringify(value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value);
  }
  if (typeof value !== "object") return `the ${typeof value} ${String(value)}`;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof (value as { then?: unknown }).then === "function") return "a promise";
  return "an object";
}

/** How deep data may be: deeper is a circle, or would break whatever reads it. */
const DEEPEST = 100;

/** What in a value JSON cannot hold, in a few words; undefined when there is nothing. */
export function notJson(value: unknown, deep = 0): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : shown(value);
  if (typeof value !== "object") return shown(value);
  if (deep > DEEPEST) return "data that is too deep, or holds itself";
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    return `an instance of ${prototype?.constructor?.name ?? "a class"}`;
  }
  for (const part of Object.values(value)) {
    // What is undefined is left out, as JSON does.
    const found = part === undefined ? undefined : notJson(part, deep + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
