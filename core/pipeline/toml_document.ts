/**
 * TOML with positions. `toml-eslint-parser` is the parser of record, for values too (docs/decisions/0003).
 * @module
 */
import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { Json } from "../json.ts";
import { diagnose, type Diagnostic, type SourceText, sourceText, type Span } from "./diagnostic.ts";
import { looksLikeWindowsPath, syntaxHint, windowsPathHint } from "./toml_hints.ts";

export type TomlPath = readonly (string | number)[];

/** A key with its value. */
export interface TomlEntry {
  key: Span;
  node: TomlNode;
}
export interface TomlTable {
  kind: "table";
  /** The header, or the inline table. */
  span: Span;
  entries: Map<string, TomlEntry>;
}
export interface TomlArray {
  kind: "array";
  span: Span;
  items: TomlNode[];
}
export interface TomlScalar {
  kind: "scalar";
  span: Span;
  type: "string" | "integer" | "float" | "boolean" | "date";
  /** Dates are their text as written. */
  value: string | number | boolean;
  /** Offsets of the value's source text, quotes included. */
  start: number;
  end: number;
}
export type TomlNode = TomlTable | TomlArray | TomlScalar;

/** A parsed file: its text and its tree of values with positions. */
export interface TomlDocument {
  readonly source: SourceText;
  readonly root: TomlTable;
}

export interface ParsedToml {
  /** Absent when the file could not be read as TOML. */
  document?: TomlDocument;
  diagnostics: Diagnostic[];
}

/** Reads TOML 1.0. Every problem carries its position; nothing is thrown for what a file may hold. */
export function parseToml(input: { file: string; text: string }): ParsedToml {
  const source = sourceText(input.file, input.text);
  // A surrogate that stands alone is a byte that was no UTF-8 (`decodeMarked`).
  const at = source.text.search(/^\uFFFD|[\u0000\p{Surrogate}]/u);
  if (at >= 0) {
    return {
      diagnostics: [diagnose({ source, span: source.span(at, at + 1) }, {
        code: "toml/not-text",
        message: `Cannot read "${source.file}": it is not UTF-8 text`,
        hint: "save the file as UTF-8 (in Notepad: Save As, Encoding UTF-8)",
      })],
    };
  }
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(source.text, { tomlVersion: "1.0.0" });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { diagnostics: [syntaxDiagnostic(source, error)] };
  }
  const builder = new TreeBuilder(source);
  const root = builder.build(program);
  return { document: { source, root }, diagnostics: builder.diagnostics };
}

function syntaxDiagnostic(source: SourceText, error: ParseError): Diagnostic {
  const { reason, hint, start, end } = syntaxHint(source, { message: error.message, index: error.index });
  return diagnose({ source, span: source.span(start, end) }, {
    code: "toml/syntax",
    message: `Cannot read "${source.file}": ${reason}`,
    hint,
  });
}

class TreeBuilder {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: SourceText;

  constructor(source: SourceText) {
    this.#source = source;
  }

  build(program: AST.TOMLProgram): TomlTable {
    const root = this.#table(this.#source.span(0, 0));
    for (const node of program.body[0].body) {
      if (node.type === "TOMLKeyValue") this.#put(root, node);
      else this.#header(root, node);
    }
    return root;
  }

  #table(span: Span): TomlTable {
    return { kind: "table", span, entries: new Map() };
  }

  #span(node: { range: [number, number] }): Span {
    return this.#source.span(node.range[0], node.range[1]);
  }

  #name(key: AST.TOMLBare | AST.TOMLQuoted): string {
    const name = key.type === "TOMLBare" ? key.name : key.value;
    if (name === "__proto__") {
      this.diagnostics.push(diagnose({ source: this.#source, span: this.#span(key) }, {
        code: "toml/reserved-key",
        message: `Cannot use key "__proto__": the name is reserved`,
      }));
    }
    return name;
  }

  /** The table a `[header]` or `[[header]]` opens, filled with what stands below it. */
  #header(root: TomlTable, node: AST.TOMLTable): void {
    const span = this.#span(node.key);
    let table = root;
    const keys = node.key.keys;
    keys.forEach((key, at) => {
      const isLast = at === keys.length - 1;
      const name = this.#name(key);
      let entry = table.entries.get(name);
      if (entry === undefined) {
        const node_: TomlNode = isLast && node.kind === "array"
          ? { kind: "array", span, items: [] }
          : this.#table(span);
        entry = { key: this.#span(key), node: node_ };
        table.entries.set(name, entry);
      }
      if (entry.node.kind === "array") {
        if (isLast && node.kind === "array") entry.node.items.push(this.#table(span));
        table = entry.node.items.at(-1) as TomlTable;
      } else {
        table = entry.node as TomlTable;
      }
    });
    for (const line of node.body) this.#put(table, line);
  }

  #put(table: TomlTable, node: AST.TOMLKeyValue): void {
    let target = table;
    const keys = node.key.keys;
    keys.forEach((key, at) => {
      const name = this.#name(key);
      if (at === keys.length - 1) {
        target.entries.set(name, { key: this.#span(key), node: this.#value(node.value) });
        return;
      }
      let entry = target.entries.get(name);
      if (entry === undefined) {
        entry = { key: this.#span(key), node: this.#table(this.#span(key)) };
        target.entries.set(name, entry);
      }
      target = entry.node as TomlTable;
    });
  }

  #value(node: AST.TOMLContentNode): TomlNode {
    const span = this.#span(node);
    if (node.type === "TOMLArray") {
      return { kind: "array", span, items: node.elements.map((element) => this.#value(element)) };
    }
    if (node.type === "TOMLInlineTable") {
      const table = this.#table(span);
      for (const line of node.body) this.#put(table, line);
      return table;
    }
    const [start, end] = node.range;
    const place = { span, start, end };
    switch (node.kind) {
      case "string":
        this.#checkEscapes(node, span);
        return { kind: "scalar", type: "string", value: node.value, ...place };
      case "boolean":
        return { kind: "scalar", type: "boolean", value: node.value, ...place };
      case "integer":
        if (!Number.isSafeInteger(Number(node.bigint))) {
          this.#badNumber(node.number, span, "it is too large to be held exactly");
        }
        return { kind: "scalar", type: "integer", value: Number(node.bigint), ...place };
      case "float":
        if (!Number.isFinite(node.value)) this.#badNumber(node.number, span, "wanted a finite number");
        return { kind: "scalar", type: "float", value: node.value, ...place };
      default:
        return { kind: "scalar", type: "date", value: this.#source.text.slice(start, end), ...place };
    }
  }

  #badNumber(text: string, span: Span, why: string): void {
    this.diagnostics.push(
      diagnose({ source: this.#source, span }, { code: "toml/number", message: `Cannot use number "${text}": ${why}` }),
    );
  }

  /** `"C:\temp"` is valid TOML and means a tab: refuse it before it becomes a folder with a strange name. */
  #checkEscapes(node: AST.TOMLStringValue, span: Span): void {
    if (node.style !== "basic" || node.multiline) return;
    const raw = this.#source.text.slice(node.range[0] + 1, node.range[1] - 1);
    // deno-lint-ignore no-control-regex
    if (!looksLikeWindowsPath(raw) || !/[\u0000-\u001F\u007F]/.test(node.value)) return;
    this.diagnostics.push(diagnose({ source: this.#source, span }, {
      code: "toml/windows-path",
      message:
        `Cannot use path "${raw}": within double quotes a backslash begins an escape, so this is not the path it looks like`,
      hint: windowsPathHint(raw),
    }));
  }
}

/** The plain value of a node: tables are objects, dates are their text. */
export function tomlValue(node: TomlNode): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "array") return node.items.map(tomlValue);
  const object: { [key: string]: Json } = {};
  for (const [name, entry] of node.entries) {
    Object.defineProperty(object, name, {
      value: tomlValue(entry.node),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

/** The node at a path, or undefined. */
export function nodeAt(document: TomlDocument, path: TomlPath): TomlNode | undefined {
  let node: TomlNode | undefined = document.root;
  for (const step of path) {
    if (node === undefined) return undefined;
    if (node.kind === "table") node = node.entries.get(String(step))?.node;
    else if (node.kind === "array") node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** Where the value at a path stands; for a path that is not there, where its nearest parent stands. */
export function valueSpan(document: TomlDocument, path: TomlPath): Span {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(document, path.slice(0, length));
    if (node !== undefined) return node.span;
  }
  return document.root.span;
}

/** Where the key of the value at a path stands; for a list's entry or a missing key, as `valueSpan`. */
export function keySpan(document: TomlDocument, path: TomlPath): Span {
  const parent = nodeAt(document, path.slice(0, -1));
  const name = path.at(-1);
  if (parent?.kind === "table" && typeof name === "string") {
    const entry = parent.entries.get(name);
    if (entry !== undefined) return entry.key;
  }
  return valueSpan(document, path);
}
