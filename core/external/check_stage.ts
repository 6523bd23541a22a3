/** Whether what a file from outside gives is a stage. @module */
import { z } from "zod";
import type { StagePlugin } from "../contract.ts";
import { PLUGIN_NAME } from "../registry.ts";
import { anyText, type Field, fieldFaults, flag, functionField, oneOf, optional, shown, text } from "./field.ts";

/** Every field of a stage; the compiler sees to it that none is forgotten. */
export const STAGE_FIELDS = {
  kind: oneOf("stage"),
  name: {
    wanted: 'a name of lower-case words joined by hyphens, such as "zip-previews"',
    is: (value) => typeof value === "string" && PLUGIN_NAME.test(value),
  },
  summary: text,
  takes: oneOf("tree", "backup", "folder", "event", "any"),
  effect: oneOf("read", "create", "modify", "destroy"),
  resume: oneOf("redo", "skip-finished"),
  before: optional(flag),
  onItemFailed: optional(flag),
  options: {
    wanted: "an object schema made with the z of the API: api.z.strictObject({ … })",
    is: (value) => value instanceof z.ZodObject,
  },
  example: anyText,
  facts: optional(functionField),
  places: optional(functionField),
  parallel: optional({
    wanted: "a whole number of at least 1",
    is: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  }),
  usesLedger: optional(flag),
  failure: optional(oneOf("failed_validation")),
  goesOn: optional(functionField),
  failsApart: optional(flag),
  uses: optional(functionField),
  open: functionField,
} satisfies Record<keyof StagePlugin, Field>;

/** Looked at before the rest, since it says how to read the rest. */
const API_VERSION = optional({ wanted: "a whole number", is: Number.isSafeInteger });

/** Returns what is wrong with a stage, a line for each field; nothing when it is one. */
export function stageFaults(value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`it gave ${shown(value)}, wanted a stage: the object that api.defineStage({ … }) returns`];
  }
  const { kind } = value as { kind?: unknown };
  if (typeof kind === "string" && ["source", "notifier", "standard", "store", "scheduler"].includes(kind)) {
    return [`it gave a ${kind}, wanted a stage: nothing else is taken from outside`];
  }
  return fieldFaults(value, { ...STAGE_FIELDS, apiVersion: API_VERSION });
}
