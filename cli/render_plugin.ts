/** What a plugin is and which options it takes, for `show`. Pure. @module */
import { z } from "zod";
import type { AnyStage, Plugin } from "../core/contract.ts";
import type { ExternalOrigin } from "../core/external/external_stage.ts";
import { columns } from "./format.ts";
import { factLines, factsOf } from "./plugin_facts.ts";

/** One option, as `show --json` prints it. */
export interface OptionInfo {
  name: string;
  type: string;
  required: boolean;
  default?: unknown;
  unit?: string;
  description: string;
}

/** Returns the options of a plugin from its schema; those within a table follow it, as `require.places`. */
export function optionsOf(plugin: Plugin): OptionInfo[] {
  if (!("options" in plugin)) return [];
  const schema = z.toJSONSchema(plugin.options, {
    io: "input",
    unrepresentable: "any",
    // What JSON has no word for has one of zod's.
    override: ({ zodSchema, jsonSchema }) => {
      const { type } = zodSchema._zod.def;
      if (NOT_JSON.has(type)) jsonSchema.written ??= `${type} (of zod)`;
    },
  });
  return optionsIn(schema, "");
}

const NOT_JSON: ReadonlySet<string> = new Set(["bigint", "date", "custom", "map", "set", "symbol", "file", "function"]);

function optionsIn(schema: z.core.JSONSchema.BaseSchema, above: string): OptionInfo[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (typeof property === "boolean") return [];
    const name = `${above}${key}`;
    const info: OptionInfo = {
      name,
      type: typeof property.written === "string" ? property.written : typeOf(property),
      required: required.has(key),
      description: property.description ?? "",
    };
    if (property.default !== undefined) info.default = property.default;
    if (typeof property.unit === "string") info.unit = property.unit;
    return [info, ...optionsIn(property, `${name}.`)];
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
  if (type === "object") return "table";
  return Array.isArray(type) ? type.join(" | ") : type ?? "any";
}

/** Returns a plugin as text: what it is, where it comes from if from outside, its options, an example. */
export function renderPlugin(plugin: Plugin, external?: ExternalOrigin): string {
  const lines = [`${plugin.kind} ${plugin.name}`, plugin.summary];
  lines.push(...traits(plugin, external));
  if (external) lines.push(...originLines(external));
  const options = optionsOf(plugin);
  if (options.length > 0) {
    const rows = options.map((option) => [
      option.name,
      option.type,
      ruleOf(option),
      unitOf(option),
      option.description,
    ]);
    const table = columns([["option", "type", "default", "unit", "what it is"], ...rows]);
    lines.push("", "Options, under `with`:", ...table.map((row) => `  ${row}`), ...longDefaults(options));
  } else if ("options" in plugin) {
    lines.push("", "It takes no options.");
  }
  if ("example" in plugin) {
    lines.push("", "Example:", ...plugin.example.trimEnd().split("\n").map((line) => `  ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

function originLines(external: ExternalOrigin): string[] {
  const { file, sha256, pinned, touches } = external;
  const scope = !isVouched(external) || touches === undefined
    ? "everything, since the config does not vouch for it (docs/external_stages.md)"
    : touches.length === 0
    ? "nothing by itself"
    : touches.join(", ");
  return [
    `from        ${file}`,
    `SHA-256     ${sha256} (${pinned ? "pinned" : "not pinned"})`,
    `touches     ${scope}`,
  ];
}

function traits(plugin: Plugin, external?: ExternalOrigin): string[] {
  if (plugin.kind === "stage") return stageTraits(plugin, { isVouched: external === undefined || isVouched(external) });
  if (plugin.kind === "source") {
    return [`yields ${ITEMS[plugin.yields]}${plugin.endless ? ", without end" : ""}`];
  }
  if (plugin.kind === "scheduler") return [`for ${plugin.system}`];
  return [];
}

const ITEMS = {
  tree: "trees (folders of the instrument)",
  backup: "backups (complete copies at a place)",
  folder: "trees and backups",
  event: "events",
  any: "anything",
};

const EFFECTS = {
  read: "read: it changes nothing",
  create: "create: it adds, and changes nothing that is there",
  modify: "modify: it may change what is there",
  destroy: "destroy: it removes what other places are proved to hold",
};

/** An outside stage that nobody vouches for counts for nothing, whatever it says of itself. */
function isVouched({ pinned, touches }: ExternalOrigin): boolean {
  return pinned && touches !== undefined;
}

function stageTraits(stage: AnyStage, { isVouched }: { isVouched: boolean }): string[] {
  const lists = [
    "[[stage]]",
    ...stage.before ? ["[[before]]"] : [],
    ...stage.onItemFailed ? ["[[on_item_failed]]"] : [],
  ];
  const facts = isVouched ? factsOf(stage) : undefined;
  return [
    "",
    `stands in   ${lists.join(", ")}`,
    `takes       ${ITEMS[stage.takes]}`,
    `effect      ${isVouched ? "" : "by its own words "}${EFFECTS[stage.effect]}`,
    ...facts === undefined ? [] : factLines(facts),
  ];
}

/** A longer default would push the table apart: it stands below. */
const LONGEST_DEFAULT = 32;

function ruleOf({ required, default: value }: OptionInfo): string {
  if (required) return "required";
  if (value === undefined) return "none";
  const text = JSON.stringify(value);
  return text.length > LONGEST_DEFAULT ? "(below)" : text;
}

function longDefaults(options: readonly OptionInfo[]): string[] {
  return options.flatMap((option) =>
    ruleOf(option) === "(below)" ? ["", `Default of ${option.name}:`, `  ${JSON.stringify(option.default)}`] : []
  );
}

/** A text such as "14d" carries its unit; the schema's unit is then that of the number it becomes. */
function unitOf({ type, unit }: OptionInfo): string {
  if (type === "duration") return "ms s min h d w";
  if (type === "size") return "B KiB MiB GiB TiB";
  return unit ?? "";
}
