/**
 * What a zod schema finds wrong with a TOML value, in words and at the place in the file.
 * @module
 */
import type { z } from "zod";
import type { Json } from "../json.ts";
import { diagnose, type Diagnostic, type Where } from "./diagnostic.ts";
import { type NameAdvice, nameAdvice, nearestName } from "./nearest.ts";
import { keySpan, nodeAt, type TomlDocument, type TomlPath, valueSpan } from "./toml_document.ts";
import { walkSchema } from "./schema_walk.ts";
import { unitHint } from "./unit_hints.ts";

export interface SchemaSubject {
  document: TomlDocument;
  /** Where the value stands in the document. */
  base: TomlPath;
  /** For messages: `stage "truenas"`, `the config`. */
  what: string;
  /** Prefix of the codes: `config`, `pipeline`, `options`. */
  area: string;
  /** Where the value at a path of the document is to be edited; without it, in the document. */
  at?: (path: TomlPath) => Where;
  /**
   * What to do where a key is missing, or its list empty, by the key with dots; for a key of a wrong type wherever it
   * stands, by `*.` and its name. Without it, in general words.
   */
  hints?: Readonly<Record<string, string>>;
  /** A part that has a name of its own, such as a stage: what to call it, and where it stands. */
  part?: (path: TomlPath) => { what: string; path: TomlPath } | undefined;
  /** What to say of an unknown key instead of the nearest one. */
  unknown?: (path: TomlPath) => NameAdvice | undefined;
}

export interface Checked<T> {
  /** Absent when an error was found. */
  value?: T;
  diagnostics: Diagnostic[];
}

/** Parses `value` by `schema`; every finding, unknown keys of nested tables too, becomes a diagnostic. */
export function checkSchema<S extends z.ZodType>(schema: S, value: Json, subject: SchemaSubject): Checked<z.output<S>> {
  const diagnostics: Diagnostic[] = [];
  // A misspelt key that is required would be reported twice: as unknown, and as missing under its right name.
  const meant = new Set<string>();
  walkSchema(schema, value, {
    unknownKey: (path, known) => {
      diagnostics.push(unknownKey(path, { known, subject }));
      meant.add(dotted([...path.slice(0, -1), nearestName(String(path.at(-1)), known) ?? ""]));
    },
  });
  const result = schema.safeParse(value);
  if (result.success && diagnostics.length === 0) return { value: result.data, diagnostics };
  for (const issue of (result.error?.issues ?? []).flatMap(narrowed)) {
    if (issue.code === "unrecognized_keys" || meant.has(dotted(issue.path.map(step)))) continue;
    diagnostics.push(issueDiagnostic(issue, { subject, value }));
  }
  return { diagnostics };
}

/** Of a union, what is wrong by the one branch of the value's own type. */
function narrowed(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const near = issue.errors.filter((errors) => !errors.some((one) => one.code === "invalid_type" && !one.path.length));
  if (near.length !== 1) return [issue];
  return near[0].flatMap((one) => narrowed({ ...one, path: [...issue.path, ...one.path] }));
}

function step(key: PropertyKey): string | number {
  return typeof key === "number" ? key : String(key);
}

function unknownKey(
  path: readonly (string | number)[],
  about: { known: string[]; subject: SchemaSubject },
): Diagnostic {
  const { known, subject } = about;
  const key = String(path.at(-1));
  const { what, rest } = named(path, subject);
  const where = rest.length > 1 ? ` in "${dotted(rest.slice(0, -1))}"` : "";
  return diagnose({ source: subject.document.source, span: keySpan(subject.document, [...subject.base, ...path]) }, {
    code: `${subject.area}/unknown-key`,
    message: `Cannot use key "${key}"${where} of ${what}: no such key is known`,
    hint: "remove it",
    ...nameAdvice(key, known, "known keys"),
    ...subject.unknown?.(path),
  });
}

function issueDiagnostic(issue: z.core.$ZodIssue, about: { subject: SchemaSubject; value: Json }): Diagnostic {
  const { subject } = about;
  const path = issue.path.map(step);
  const found = valueAt(about.value, path);
  const full = [...subject.base, ...path];
  const { what, rest } = named(path, subject);
  const name = rest.length === 0 ? what : `"${dotted(rest)}" of ${what}`;
  const source = subject.document.source;
  if (found === undefined && path.length > 0) {
    return diagnose({ source, span: valueSpan(subject.document, full) }, {
      code: `${subject.area}/missing-key`,
      message: `Cannot use ${what}: "${dotted(rest)}" is missing, wanted ${wanted(issue)}`,
      hint: subject.hints?.[dotted(path)] ?? `add ${String(path.at(-1))} = …`,
      wanted: choices(issue, undefined).wanted,
    });
  }
  const span = nodeAt(subject.document, full) ? valueSpan(subject.document, full) : keySpan(subject.document, full);
  return diagnose(subject.at?.(full) ?? { source, span }, {
    code: `${subject.area}/${issue.code === "invalid_type" ? "wrong-type" : "bad-value"}`,
    message: `Cannot use ${name}: ${sentence(issue, found)}`,
    hint: unitHint(issue.message, found) ?? hintOfKey(issue, subject) ?? choiceHint(issue, found) ??
      (isUnfilled(found) ? subject.hints?.[dotted(path)] : undefined),
    ...choices(issue, found),
  });
}

/** What a path speaks of, and what is left of it within. */
function named(path: TomlPath, { what, part }: SchemaSubject): { what: string; rest: TomlPath } {
  const found = part?.(path);
  return found ? { what: found.what, rest: path.slice(found.path.length) } : { what, rest: path };
}

function hintOfKey(issue: z.core.$ZodIssue, { hints }: SchemaSubject): string | undefined {
  return issue.code === "invalid_type" ? hints?.[`*.${String(issue.path.at(-1))}`] : undefined;
}

/** An empty list, or one table written where a list of tables is wanted. */
function isUnfilled(found: Json | undefined): boolean {
  return typeof found === "object" && found !== null && (!Array.isArray(found) || found.length === 0);
}

function sentence(issue: z.core.$ZodIssue, found: Json | undefined): string {
  if (/^wanted /.test(issue.message)) {
    return /, found /.test(issue.message) ? issue.message : `${issue.message}, found ${shown(found)}`;
  }
  if (issue.code === "custom") return issue.message;
  return `found ${shown(found)}, wanted ${wanted(issue)}`;
}

const TYPE_WORDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a table",
  record: "a table",
};

/** What the schema wanted, in words. */
function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPE_WORDS[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return limit(issue.origin, { word: issue.inclusive === false ? "more than" : "at least", bound: issue.minimum });
    case "too_big":
      return limit(issue.origin, { word: issue.inclusive === false ? "less than" : "at most", bound: issue.maximum });
    case "invalid_union":
      return [...new Set(issue.errors.flatMap((errors) => errors.slice(0, 1).map(wanted)))].join(" or ") ||
        "another value";
    case "invalid_format":
      return issue.pattern ? `text of the form ${issue.pattern}` : `text of the form ${issue.format}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
}

function limit(origin: string, by: { word: string; bound: number | bigint }): string {
  if (origin === "string") return `text of ${by.word} ${by.bound} characters`;
  if (origin === "array" || origin === "set") return `${by.word} ${by.bound} entries`;
  return `${by.word} ${by.bound}`;
}

/** The same for programs: the values there are, or what the message says was wanted. */
function choices(issue: z.core.$ZodIssue, found: Json | undefined): { nearest?: string; wanted: readonly string[] } {
  if (issue.code !== "invalid_value") {
    const said = /^wanted (.*?)(?:, found .*)?$/s.exec(issue.message)?.[1];
    return { wanted: [said ?? wanted(issue)] };
  }
  const known = issue.values.map(String);
  const nearest = typeof found === "string" ? nearestName(found, known) : undefined;
  return { ...nearest === undefined ? {} : { nearest }, wanted: known };
}

function choiceHint(issue: z.core.$ZodIssue, found: Json | undefined): string | undefined {
  if (issue.code === "invalid_value" && typeof found === "string") {
    const nearest = nearestName(found, issue.values.map(String));
    return nearest === undefined ? undefined : `did you mean "${nearest}"`;
  }
  if (issue.code === "too_small" && typeof found === "number") {
    return `write ${issue.inclusive === false ? "more than " : ""}${issue.minimum}${
      issue.inclusive === false ? "" : " or more"
    }`;
  }
  if (issue.code === "too_big" && typeof found === "number") {
    return `write ${issue.inclusive === false ? "less than " : ""}${issue.maximum}${
      issue.inclusive === false ? "" : " or less"
    }`;
  }
  if (issue.code === "invalid_type" && typeof found === "string") {
    if (issue.expected === "number" && found.trim() !== "" && Number.isFinite(Number(found))) {
      return `write ${Number(found)} without quotes`;
    }
    if (issue.expected === "boolean" && /^(true|false)$/i.test(found)) {
      return `write ${found.toLowerCase()} without quotes`;
    }
    if (issue.expected === "array") return `write ${asList(found)}`;
  }
  if (
    issue.code === "invalid_type" && issue.expected === "string" &&
    (typeof found === "number" || typeof found === "boolean")
  ) {
    return `write "${found}" with quotes`;
  }
  return undefined;
}

/** A text where a list is wanted; a command line becomes a program and its arguments. */
function asList(found: string): string {
  const words = found.trim().split(/\s+/);
  const list = `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
  return words.length > 1 ? `${list}, each part by itself` : list;
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return value === "" ? "an empty text" : `the text ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value !== null && typeof value === "object") return "a table";
  return typeof value === "number" ? `the number ${value}` : String(value);
}

function valueAt(value: Json, path: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path) {
    if (at === null || typeof at !== "object") return undefined;
    at = Array.isArray(at) ? at[Number(step)] : Object.hasOwn(at, String(step)) ? at[String(step)] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

/** `a.b[0].c` */
function dotted(path: readonly (string | number)[]): string {
  return path.map((step, at) => typeof step === "number" ? `[${step + 1}]` : at === 0 ? step : `.${step}`).join("");
}
