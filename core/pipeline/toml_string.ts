/**
 * Offsets within TOML strings: where in the file each unit of a string's value was written.
 * @module
 */
import type { SourceText, Span } from "./diagnostic.ts";
import type { TomlScalar } from "./toml_document.ts";

const ESCAPE = /^\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)/s;

/** Returns for each UTF-16 unit of the value, and for its end, the offset in the file. */
function offsets(raw: string, start: number): number[] {
  const multiline = raw.startsWith('"""') || raw.startsWith("'''");
  const isBasic = raw.startsWith('"');
  const quotes = multiline ? 3 : 1;
  const end = raw.length - quotes;
  const found: number[] = [];
  let at = quotes;
  if (multiline) at += /^\r?\n/.exec(raw.slice(at))?.[0].length ?? 0;
  while (at < end) {
    if (isBasic && raw[at] === "\\") {
      const fold = multiline ? /^\\[ \t]*\r?\n[ \t\r\n]*/.exec(raw.slice(at, end)) : null;
      if (fold) {
        at += fold[0].length;
        continue;
      }
      const escape = ESCAPE.exec(raw.slice(at, end))?.[0] ?? raw[at];
      found.push(start + at);
      if (escape.startsWith("\\U") && Number.parseInt(escape.slice(2), 16) > 0xFFFF) found.push(start + at);
      at += escape.length;
    } else if (raw[at] === "\r" && raw[at + 1] === "\n") {
      // The parser of record reads a line end within a string as one line feed.
      found.push(start + at);
      at += 2;
    } else {
      found.push(start + at);
      at++;
    }
  }
  found.push(start + end);
  return found;
}

/** The span of `length` units from `at` within the value of a string node. */
export function spanWithin(source: SourceText, node: TomlScalar, part: { start: number; length: number }): Span {
  const map = offsets(source.text.slice(node.start, node.end), node.start);
  const last = map.length - 1;
  return source.span(map[Math.min(part.start, last)], map[Math.min(part.start + part.length, last)]);
}
