/**
 * Words for what people get wrong in TOML: backslashes of Windows paths, single brackets, missing quotes.
 * @module
 */
import type { SourceText } from "./diagnostic.ts";

/** Whether the inside of a double-quoted string, as typed, begins like a Windows path: `C:\` or `\\server`. */
export function looksLikeWindowsPath(raw: string): boolean {
  return /^(?:[A-Za-z]:\\|\\\\)/.test(raw);
}

/** How to write a Windows path; `raw` is the inside of the string as typed. */
export function windowsPathHint(raw: string): string {
  const path = raw.replace(/^\\{4}/, "\\\\").replace(/([^\\])\\\\/g, "$1\\");
  return `write '${path}' with single quotes, or "${path.replaceAll("\\", "/")}" with forward slashes`;
}

interface SyntaxWords {
  reason: string;
  hint?: string;
  start: number;
  end: number;
}

/** Finds the double-quoted string of one line that holds the offset, as typed, without its quotes. */
function stringAround(source: SourceText, index: number): { raw: string; start: number; end: number } | undefined {
  const lineStart = source.text.lastIndexOf("\n", index - 1) + 1;
  const lineEnd = source.text.indexOf("\n", index);
  const line = source.text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  // The string is broken, so its escapes say nothing: it ends at the next quote.
  for (const match of line.matchAll(/"([^"]*)"?/g)) {
    const start = lineStart + match.index;
    const end = start + match[0].length;
    if (start <= index && index <= end) return { raw: match[1].replace(/\r$/, ""), start, end };
  }
  return undefined;
}

/** Turns the parser's message into words, a hint and the stretch of text to point at. */
export function syntaxHint(source: SourceText, problem: { message: string; index: number }): SyntaxWords {
  const { message, index } = problem;
  const reason = message.slice(0, 1).toLowerCase() + message.slice(1).replace(/\.$/, "");
  const here: SyntaxWords = { reason, start: index, end: index + 1 };
  if (/escape sequence|code point/i.test(message)) {
    const text = stringAround(source, index);
    if (text === undefined || !looksLikeWindowsPath(text.raw)) {
      return {
        ...here,
        hint: String.raw`within double quotes a backslash begins an escape; use single quotes to keep it`,
      };
    }
    return {
      reason: `within double quotes a backslash begins an escape, and this one is none TOML knows`,
      hint: windowsPathHint(text.raw),
      start: text.start,
      end: text.end,
    };
  }
  if (/multiple times/i.test(message)) {
    const header = /^\[\s*(stage|before|on_item_failed)\s*\]/.exec(lineAt(source, index));
    if (header) {
      return {
        ...here,
        reason: `[${header[1]}] is one table, and further up there is a list of them`,
        end: index + header[1].length,
        hint: `write [[${header[1]}]] with double brackets: it is one of a list`,
      };
    }
    const word = /^[\w-]+/.exec(source.text.slice(index))?.[0] ?? "";
    return {
      ...here,
      end: index + Math.max(1, word.length),
      ...isHeader(source, index)
        ? {
          reason: `the table [${word}] is defined twice`,
          hint: word === "source" ? "keep one of the two: a pipeline has one source" : "make one table of the two",
        }
        : {
          reason: word ? `the key "${word}" is defined twice` : "a key is defined twice",
          hint: "keep one of the two lines",
        },
    };
  }
  const header = openHeader(source, index);
  if (header) return header;
  const quote = oddQuote(lineAt(source, index));
  if (quote !== undefined) {
    return { ...here, hint: `a ${quote} is missing in this line: a text begins and ends with one` };
  }
  const bare = bareText(source, index);
  if (bare) {
    return {
      ...here,
      ...bare,
      reason: "a text stands without quotes",
      hint: `text must stand in quotes: key = "text"`,
    };
  }
  return here;
}

/** A text without quotes behind the equals sign of a line. */
function bareText(source: SourceText, index: number): { start: number; end: number } | undefined {
  const lineStart = source.text.lastIndexOf("\n", index - 1) + 1;
  const line = source.text.slice(lineStart).split(/\r?\n/, 1)[0];
  const match = /=\s*(?!(?:true|false|inf|nan)\b)([A-Za-z$/\\][^\s,#}\]]*)/.exec(line);
  if (match === null) return undefined;
  const start = lineStart + match.index + match[0].length - match[1].length;
  return { start, end: start + match[1].length };
}

/** A header without its end: noticed there, or in the line below. */
function openHeader(source: SourceText, index: number): SyntaxWords | undefined {
  const ownStart = source.text.lastIndexOf("\n", index - 1) + 1;
  for (const start of [ownStart, source.text.lastIndexOf("\n", ownStart - 2) + 1]) {
    const line = source.text.slice(start).split(/\r?\n/, 1)[0];
    const match = /^\s*(\[\[\s*([\w.-]+)\s*\]?|\[\s*([\w.-]+))\s*(?:#.*)?$/.exec(line);
    if (match === null) continue;
    const name = match[2] ?? match[3];
    // Of the tables below a run, only the writer knows which are of a list.
    const isList = /^(?:stage|before|on_item_failed|run)$/.test(name) ||
      (match[2] !== undefined && name.startsWith("run."));
    const whole = isList ? `[[${name}]]` : `[${name}]`;
    const text = match[1].trimEnd();
    const from = start + line.indexOf("[");
    return { reason: `the header ${text} is not closed`, hint: `write ${whole}`, start: from, end: from + text.length };
  }
  return undefined;
}

function isHeader(source: SourceText, index: number): boolean {
  return lineAt(source, index).startsWith("[");
}

/** The kind of quote that stands an odd number of times in a line of TOML, comments left out. */
function oddQuote(line: string): string | undefined {
  let open: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const letter = line[at];
    if (open === '"' && letter === "\\") at++;
    else if (open === undefined && letter === "#") break;
    else if (letter === open) open = undefined;
    else if (open === undefined && (letter === '"' || letter === "'")) open = letter;
  }
  return open;
}

function lineAt(source: SourceText, index: number): string {
  const start = source.text.lastIndexOf("\n", index - 1) + 1;
  const end = source.text.indexOf("\n", index);
  return source.text.slice(start, end < 0 ? undefined : end).trim();
}
