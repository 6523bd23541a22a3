/**
 * Diagnostics: what is wrong, where exactly, and what to do, in a form for people and one for programs.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { Json } from "../json.ts";

/** A stretch of one line. Line and column count from 1; column and length count code points, as editors do. */
export interface Span {
  line: number;
  column: number;
  length: number;
}

export interface Diagnostic extends Span {
  /** `area/problem`, stable. */
  code: string;
  severity: "error" | "warning";
  file: string;
  message: string;
  /** What to do about it. */
  hint?: string;
  /** For a misspelt name: the one that was most likely meant. */
  nearest?: string;
  /** What would do: every name that is known there, or one phrase such as `a number`. */
  wanted?: readonly string[];
  /** The line of the file without its line end; empty when the file is empty there. */
  sourceLine: string;
}

/** A text with a name, whose offsets can be turned into lines and columns. A leading byte order mark is left out. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  line(number: number): string;
  /** The span from offset `start` to `end` (UTF-16 units), cut at the end of its first line, at least 1 long. */
  span(start: number, end: number): Span;
}

/** Returns `text` as a `SourceText`. */
export function sourceText(file: string, text: string): SourceText {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const starts = [0];
  for (const match of body.matchAll(/\r\n|\n/g)) starts.push(match.index + match[0].length);
  function line(number: number): string {
    const start = starts[number - 1];
    if (start === undefined) return "";
    return body.slice(start, starts[number] ?? body.length).replace(/\r?\n$/, "");
  }
  function span(start: number, end: number): Span {
    const at = Math.min(Math.max(start, 0), body.length);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= at) low = middle;
      else high = middle - 1;
    }
    const text = line(low + 1);
    const from = Math.min(at - starts[low], text.length);
    const to = Math.min(Math.max(end - starts[low], from), text.length);
    return {
      line: low + 1,
      column: [...text.slice(0, from)].length + 1,
      length: Math.max(1, [...text.slice(from, to)].length),
    };
  }
  return { file, text: body, line, span };
}

export interface DiagnosticWords {
  severity?: Diagnostic["severity"];
  hint?: string;
  nearest?: string;
  wanted?: readonly string[];
}

/** A span of a source, and what else to look at; the message ends with it. */
export interface Where {
  source: SourceText;
  span: Span;
  note?: string;
}

/** Makes a diagnostic at a span of a source; severity is `error` unless said otherwise. */
export function diagnose(
  at: Where,
  words: DiagnosticWords & { code: string; message: string },
): Diagnostic {
  const { source, span, note } = at;
  return {
    code: words.code,
    severity: words.severity ?? "error",
    file: source.file,
    line: span.line,
    column: span.column,
    length: span.length,
    message: note === undefined ? words.message : `${words.message}; ${note}`,
    ...(words.hint === undefined ? {} : { hint: words.hint }),
    ...(words.nearest === undefined ? {} : { nearest: words.nearest }),
    ...(words.wanted === undefined ? {} : { wanted: words.wanted }),
    sourceLine: source.line(span.line).toWellFormed(),
  };
}

const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Blank of the width a terminal gives the text; tabs stay tabs, so that carets line up whatever a tab is worth. */
function blank(text: string): string {
  return [...text].map((c) => c === "\t" ? "\t" : ZERO.test(c) ? "" : WIDE.test(c) ? "  " : " ").join("");
}

/** Control characters other than the tab are shown as `\u` escapes' width of one, so that a file cannot drive the terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, "\uFFFD");
}

/** Renders one diagnostic as plain text: position and message, the source line, carets under it, the hint. */
export function renderDiagnostic(d: Diagnostic): string {
  const letters = [...d.sourceLine];
  const before = letters.slice(0, d.column - 1).join("");
  const under = letters.slice(d.column - 1, d.column - 1 + d.length).join("");
  const carets = blank(under).replaceAll("\t", " ").replaceAll(" ", "^") || "^";
  const lines = [printable(`${d.file}:${d.line}:${d.column}: ${d.severity} ${d.code}: ${d.message}`)];
  if (d.sourceLine.trim() !== "") {
    lines.push(`  ${printable(d.sourceLine)}`, `  ${blank(before)}${carets}`);
  }
  if (d.hint !== undefined) lines.push(`  hint: ${printable(d.hint)}`);
  return lines.join("\n");
}

/** Renders several, in order of file, line and column, with an empty line between them. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return sortDiagnostics(diagnostics).map(renderDiagnostic).join("\n\n");
}

/** Returns a diagnostic as JSON, keys in a stable order: the shape of `docs/language.md`, which programs read. */
export function diagnosticToJson(d: Diagnostic): { [key: string]: Json } {
  return {
    code: d.code,
    severity: d.severity,
    file: d.file,
    line: d.line,
    column: d.column,
    length: d.length,
    message: d.message,
    hint: d.hint ?? null,
    nearest: d.nearest ?? null,
    wanted: d.wanted === undefined ? null : [...d.wanted],
    source_line: d.sourceLine,
  };
}

/** Returns the diagnostics in order of file, line and column; equal positions keep their order. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column
  );
}

/** Whether any of them is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}

/** Errors in a file, all of them: each message names its position, its code and its hint. */
export class DiagnosticsError extends PipelineError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(errors: readonly Diagnostic[]) {
    super(errors[0].code, renderDiagnostics(errors), { hint: errors[0].hint, stopsRun: 2 });
    this.diagnostics = errors;
  }
}

/**
 * Throws when any diagnostic is an error: the first one's code, all of them in the message, exit code 2.
 * @throws {DiagnosticsError} with the code of the first error.
 */
export function throwOnErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = sortDiagnostics(diagnostics.filter((d) => d.severity === "error"));
  if (errors.length > 0) throw new DiagnosticsError(errors);
}
