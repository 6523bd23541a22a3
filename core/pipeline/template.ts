/**
 * Templates: `${section.key}` reads the config, `${env.NAME}` the environment, `${item.name}` and `${item.data.key}`
 * the item at run time. `$${` stands for a literal `${`. What a template gives is never expanded again (SAFETY S16).
 * @module
 */
import type { ConfigView, Item } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { Json } from "../json.ts";
import { configKeys } from "./config.ts";
import { type NameAdvice, nameAdvice, nameHint } from "./nearest.ts";

/** What templates read before any item is known. */
export interface TemplateScope {
  config: ConfigView;
  /** Path of the config file, for messages. */
  configFile: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether names of the environment ignore case, as on Windows. */
  envIgnoresCase?: boolean;
  /** Gives the values of `${item.…}`. Undefined where no item exists: the source, `[[before]]`. */
  item?: (name: string) => Json | undefined;
}

/** What is wrong with a template; `start` and `length` are UTF-16 units within the string's value. */
export interface TemplateProblem {
  code: string;
  message: string;
  hint?: string;
  nearest?: string;
  wanted?: readonly string[];
  start: number;
  length: number;
}

export interface TemplateResult {
  /** Absent when there is a problem. */
  value?: Json;
  problems: TemplateProblem[];
  /** Names read, for example `env.HOME`, `item.name`. */
  names: string[];
}

interface Piece {
  /** Literal text, or the name within `${…}`. */
  text: string;
  isName: boolean;
  start: number;
  end: number;
}

const NAME = /^[A-Za-z_][\w-]*(?:\.[\w()-]+)+$/;

/** Cuts a string into literal text and names. */
function pieces(text: string): { pieces: Piece[]; problems: TemplateProblem[] } {
  const found: Piece[] = [];
  const problems: TemplateProblem[] = [];
  let literal = "";
  let literalStart = 0;
  let at = 0;
  const flush = (end: number) => {
    if (literal !== "") found.push({ text: literal, isName: false, start: literalStart, end });
    literal = "";
  };
  while (at < text.length) {
    if (text.startsWith("$${", at)) {
      literal += "${";
      at += 3;
    } else if (text.startsWith("${", at)) {
      flush(at);
      const close = text.indexOf("}", at);
      if (close < 0) {
        problems.push({
          code: "template/syntax",
          message: `Cannot resolve "${text.slice(at)}": the closing brace is missing`,
          hint: "close it with }, or write $${ for the two characters themselves",
          start: at,
          length: text.length - at,
        });
        return { pieces: found, problems };
      }
      found.push({ text: text.slice(at + 2, close).trim(), isName: true, start: at, end: close + 1 });
      at = close + 1;
      literalStart = at;
    } else {
      if (literal === "") literalStart = at;
      literal += text[at];
      at++;
    }
  }
  flush(text.length);
  return { pieces: found, problems };
}

/** The names that a string's templates read; `isSole` when it is one template and nothing else. */
export function templateNames(text: string): { names: string[]; isSole: boolean } {
  const found = pieces(text).pieces;
  const names = found.filter((piece) => piece.isName).map((piece) => piece.text);
  return { names, isSole: found.length === 1 && names.length === 1 };
}

/** Escapes what is not a template any more, so that the text means the same when it is read again. */
export function literal(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (Array.isArray(value)) return value.map(literal);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, literal(entry)]));
}

/** Resolves the templates of one string. A sole `${…}` keeps its type; an embedded one becomes text. */
export function resolveTemplate(text: string, scope: TemplateScope): TemplateResult {
  const cut = pieces(text);
  const problems = cut.problems;
  const names = cut.pieces.filter((piece) => piece.isName).map((piece) => piece.text);
  const values = cut.pieces.map((piece) => {
    if (!piece.isName) return piece.text;
    const found = lookUp(piece.text, scope);
    if ("value" in found) return found.value;
    problems.push({ ...found, start: piece.start, length: piece.end - piece.start });
    return "";
  });
  if (problems.length > 0) return { problems, names };
  const sole = cut.pieces.length === 1 && cut.pieces[0].isName;
  if (sole) return { value: values[0], problems, names };
  let whole = "";
  cut.pieces.forEach((piece, index) => {
    const value = values[index];
    if (value !== null && typeof value === "object") {
      problems.push({
        code: "template/not-text",
        message: `Cannot put "\${${piece.text}}" into a text: it is ${Array.isArray(value) ? "a list" : "a table"}`,
        hint: "let it stand alone between the quotes",
        start: piece.start,
        length: piece.end - piece.start,
      });
    }
    whole += String(value);
  });
  return problems.length > 0 ? { problems, names } : { value: whole, problems, names };
}

type Found = { value: Json } | NameAdvice & { code: string; message: string };

function lookUp(name: string, scope: TemplateScope): Found {
  const shown = `"\${${name}}"`;
  if (!NAME.test(name)) {
    return {
      code: "template/syntax",
      message: `Cannot resolve ${shown}: wanted a name such as paths.source_root, env.HOME or item.name`,
      ...nameAdvice(name.split(".")[0], [...configKeys([]), "env", "item"]),
    };
  }
  const [first, ...rest] = name.split(".");
  if (first === "env") return fromEnvironment(rest.join("."), { scope, shown });
  if (first === "item") return fromItem(rest.join("."), { scope, shown });
  return fromConfig([first, ...rest], { scope, shown });
}

interface Lookup {
  scope: TemplateScope;
  shown: string;
}

function fromEnvironment(name: string, { scope, shown }: Lookup): Found {
  const names = Object.keys(scope.env);
  const key = Object.hasOwn(scope.env, name) || !scope.envIgnoresCase
    ? name
    : names.find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
  const value = Object.hasOwn(scope.env, key) ? scope.env[key] : undefined;
  if (value === undefined) {
    const hint = nameHint(name, names);
    return {
      code: "template/unknown",
      message: `Cannot resolve ${shown}: the environment has no variable "${name}"`,
      hint: hint?.startsWith("did you mean") ? hint : `set ${name} before the program starts`,
    };
  }
  if (value === "") {
    return {
      code: "template/empty",
      message: `Cannot resolve ${shown}: the environment variable "${name}" is empty`,
      hint: `set ${name} to a value before the program starts`,
    };
  }
  return { value };
}

function fromItem(name: string, { scope, shown }: Lookup): Found {
  if (name !== "name" && !/^data\.[\w-]+$/.test(name)) {
    return {
      code: "template/unknown",
      message: `Cannot resolve ${shown}: an item has "name" and "data.<key>"`,
      hint: nameHint(name, ["name"]) ?? "use ${item.name}",
    };
  }
  if (scope.item === undefined) {
    return {
      code: "template/no-item",
      message: `Cannot resolve ${shown}: no item exists here, wanted a template of the config or the environment`,
      hint: "items are known in [[stage]] and [[on_item_failed]] only",
    };
  }
  const value = scope.item(name);
  if (value === undefined) {
    return { code: "template/unknown", message: `Cannot resolve ${shown}: the item has no "${name}"` };
  }
  const why = checkItemSegment(value);
  return why === undefined
    ? { value: String(value) }
    : { code: "template/unsafe", message: `Cannot resolve ${shown}: ${JSON.stringify(value)} ${why}` };
}

function fromConfig(path: string[], { scope, shown }: Lookup): Found {
  let value: unknown = scope.config;
  for (let at = 0; at < path.length; at++) {
    const key = path[at];
    const parent = path.slice(0, at);
    const known = configKeys(parent);
    if (!known.includes(key)) {
      const where = at === 0
        ? "the config has no such section"
        : `[${parent.join(".")}] of the config has no key "${key}"`;
      const advice = nameAdvice(key, at === 0 ? [...known, "env", "item"] : known);
      return { code: "template/unknown", message: `Cannot resolve ${shown}: ${where}`, ...advice };
    }
    value = (value as Record<string, unknown>)[key];
    if (value === undefined) {
      return {
        code: "template/not-set",
        message: `Cannot resolve ${shown}: "${key}" is not set in [${parent.join(".")}] of ${scope.configFile}`,
        hint: `add to [${parent.join(".")}] of ${scope.configFile}: ${key} = …`,
      };
    }
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    return {
      code: "template/not-a-value",
      message: `Cannot resolve ${shown}: it names a section, wanted one of its keys`,
      hint: `known keys: ${configKeys(path).toSorted().join(", ")}`,
    };
  }
  if (value === "") {
    return {
      code: "template/empty",
      message: `Cannot resolve ${shown}: it is empty in ${scope.configFile}`,
      hint: `give ${path.at(-1)} a value in [${path.slice(0, -1).join(".")}]`,
    };
  }
  return { value: value as Json };
}

/**
 * Why a value of an item may not stand in a path, or undefined when it may: it must be one path segment on every
 * system (SAFETY S16): not empty, `.` or `..`, no separator, colon or control character, no dot or blank at its end.
 */
export function checkItemSegment(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return undefined;
  if (typeof value !== "string") return "is not text, wanted one path segment";
  if (value === "") return "is empty, wanted one path segment";
  if (value === "." || value === "..") return "names a folder above, wanted one path segment";
  if (/[\\/]/.test(value)) return "holds a separator, wanted one path segment";
  if (value.includes(":")) return "holds a colon, wanted one path segment";
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001F\u007F]/.test(value)) return "holds a control character, wanted one path segment";
  if (/[. ]$/.test(value)) return "ends with a dot or a blank, which Windows drops, wanted one path segment";
  if (!value.isWellFormed() || value.includes("\uFFFD")) return "is not valid text, wanted one path segment";
  return undefined;
}

/** The values of `${item.…}` for one item. */
export function itemValues(item: Pick<Item, "name" | "data">): (name: string) => Json | undefined {
  return (name) => {
    if (name === "name") return item.name;
    const key = name.slice("data.".length);
    return Object.hasOwn(item.data, key) ? item.data[key] : undefined;
  };
}

/** Resolves the templates of every string in a value; `problem` is told where. Keys are not expanded. */
export function resolveTree(
  value: Json,
  scope: TemplateScope,
  told: { problem(problem: TemplateProblem, path: (string | number)[]): void; names?(names: string[]): void },
): Json {
  function visit(at: Json, path: (string | number)[]): Json {
    if (typeof at === "string") {
      if (!at.includes("${")) return at;
      const result = resolveTemplate(at, scope);
      result.problems.forEach((problem) => told.problem(problem, path));
      told.names?.(result.names);
      return result.value === undefined ? at : result.value;
    }
    if (Array.isArray(at)) return at.map((entry, index) => visit(entry, [...path, index]));
    if (at === null || typeof at !== "object") return at;
    return Object.fromEntries(Object.entries(at).map(([key, entry]) => [key, visit(entry, [...path, key])]));
  }
  return visit(value, []);
}

/** Resolves every template of a value or throws the first problem. */
export function resolveTreeOrThrow(value: Json, scope: TemplateScope): Json {
  return resolveTree(value, scope, {
    problem(problem) {
      throw new PipelineError(problem.code, problem.message, { hint: problem.hint });
    },
  });
}
