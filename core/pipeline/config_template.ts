/** The config file as `install init` writes it: every key of the schema, behind a `#`, with what it is for. @module */
import { z } from "zod";
import type { PathSystem } from "../io/paths.ts";
import { CONFIG_SCHEMA } from "./config.ts";
import { resolvePath } from "./config_paths.ts";

/** What is used of the JSON Schema that zod makes. */
interface Shape {
  description?: string;
  properties?: Record<string, Shape>;
  default?: unknown;
  enum?: readonly unknown[];
  examples?: readonly unknown[];
  format?: string;
  items?: Shape;
  type?: string;
}

const HEAD =
  `# The config of labferry. All keys are here; those behind a "#" are not set: they show an example, or the default.
# To set one, take its "#" away. Slashes work on Windows, too; a path with backslashes stands in single quotes.
# Check what you wrote with: labferry lint
`;

/** Returns the text of a config that sets nothing, for people to fill in. Examples of paths are those of `system`. */
export function renderConfigTemplate(system: PathSystem): string {
  const schema = z.toJSONSchema(CONFIG_SCHEMA, { io: "input", unrepresentable: "any" }) as Shape;
  return `${HEAD}${sections(schema, [], system).join("")}`;
}

function sections(shape: Shape, at: readonly string[], system: PathSystem): string[] {
  const entries = Object.entries(shape.properties ?? {});
  const own = at.length === 0 ? [] : [
    `\n${comment(shape.description ?? "")}[${at.join(".")}]\n`,
    ...entries.filter(([, inner]) => !inner.properties).map(([key, inner]) => keyLines(key, inner, system)),
  ];
  const below = entries.filter(([, inner]) => inner.properties);
  return [...own, ...below.flatMap(([key, inner]) => sections(inner, [...at, key], system))];
}

function keyLines(key: string, shape: Shape, system: PathSystem): string {
  const example = shape.examples?.find((value) => fits(value, shape, system));
  const hasDefault = shape.default !== undefined;
  const words = [
    shape.description ?? "",
    shape.enum ? `One of ${shape.enum.map(toml).join(", ")}.` : "",
    hasDefault ? `Default: ${toml(shape.default)}.` : "Not set by default.",
    example === undefined ? "" : "An example:",
  ];
  const value = toml(example ?? shape.default ?? placeholder(shape));
  return `${comment(words.filter((word) => word !== "").join(" "))}# ${key} = ${value}\n`;
}

/** An example of a path must be one that this system takes. */
function fits(value: unknown, shape: Shape, system: PathSystem): boolean {
  if (shape.format !== "path" || typeof value !== "string") return true;
  return resolvePath(value, { folder: system === "windows" ? "C:\\" : "/", system }).ok;
}

/** For a key that has neither a default nor an example. */
function placeholder({ type, enum: values }: Shape): unknown {
  if (values) return values[0];
  if (type === "array") return [];
  if (type === "boolean") return false;
  return type === "number" || type === "integer" ? 0 : "…";
}

/** A value as TOML; for texts, numbers, switches and lists of them, JSON is TOML. */
function toml(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(toml).join(", ")}]` : JSON.stringify(value);
}

function comment(words: string): string {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 117) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `# ${line}\n`).join("");
}
