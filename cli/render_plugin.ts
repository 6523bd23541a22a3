/** What a plugin is and which options it takes, for `show`. Pure. @module */
import { z } from "zod";
import type { Plugin } from "../core/contract.ts";
import type { ExternalOrigin } from "../core/external/external_stage.ts";
import { columns } from "./format.ts";

/** One option, as `show --json` prints it. */
export interface OptionInfo {
  name: string;
  type: string;
  required: boolean;
  default?: unknown;
  unit?: string;
  description: string;
}

/** Returns the options of a plugin from its schema. */
export function optionsOf(plugin: Plugin): OptionInfo[] {
  if (!("options" in plugin)) return [];
  const schema = z.toJSONSchema(plugin.options, { io: "input", unrepresentable: "any" });
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    const info: OptionInfo = {
      name,
      type: typeOf(property),
      required: required.has(name),
      description: property.description ?? "",
    };
    if (property.default !== undefined) info.default = property.default;
    if (typeof property.unit === "string") info.unit = property.unit;
    return [info];
  });
}

interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: unknown[];
  items?: unknown;
}

function typeOf(schema: unknown): string {
  if (typeof schema !== "object" || schema === null) return "any";
  const { type, enum: values, const: value, anyOf, items } = schema as JsonSchema;
  if (values !== undefined) return values.map((one) => JSON.stringify(one)).join(" | ");
  if (value !== undefined) return JSON.stringify(value);
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(" | ");
  if (type === "array") return `list of ${typeOf(items)}`;
  return Array.isArray(type) ? type.join(" | ") : type ?? "any";
}

/** Returns a plugin as text: what it is, where it comes from if from outside, its options, an example. */
export function renderPlugin(plugin: Plugin, external?: ExternalOrigin): string {
  const lines = [`${plugin.kind} ${plugin.name}`, plugin.summary];
  lines.push(...traits(plugin));
  if (external) lines.push(...originLines(external));
  const options = optionsOf(plugin);
  if (options.length > 0) {
    const rows = options.map((option) => [option.name, option.type, ruleOf(option), option.description]);
    lines.push("", "Options, under `with`:", ...columns(rows).map((row) => `  ${row}`));
  }
  if ("example" in plugin) {
    lines.push("", "Example:", ...plugin.example.trimEnd().split("\n").map((line) => `  ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

function originLines({ file, sha256, pinned, touches }: ExternalOrigin): string[] {
  const scope = !pinned || touches === undefined
    ? "everything, since the config does not vouch for it (docs/external_stages.md)"
    : touches.length === 0
    ? "nothing by itself"
    : touches.join(", ");
  return [`from ${file}`, `SHA-256 ${sha256} (${pinned ? "pinned" : "not pinned"})`, `touches ${scope}`];
}

function traits(plugin: Plugin): string[] {
  if (plugin.kind === "stage") return [`takes ${plugin.takes}, effect ${plugin.effect}, resume ${plugin.resume}`];
  if (plugin.kind === "source") return [`yields ${plugin.yields}, ${plugin.endless ? "endless" : "finite"}`];
  if (plugin.kind === "scheduler") return [`for ${plugin.system}`];
  return [];
}

function ruleOf({ type, required, default: value, unit }: OptionInfo): string {
  const rule = required ? "required" : value === undefined ? "optional" : `default ${JSON.stringify(value)}`;
  // A text such as "14d" carries its unit; the schema's unit is then that of the number it becomes.
  return unit === undefined || !/^(number|integer)$/.test(type) ? rule : `${rule} (${unit})`;
}
