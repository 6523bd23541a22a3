/** A file of `NAME=value` lines, as `smtp.env` is. @module */
import { brokenAt } from "../core/text.ts";

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=(.*)$/s;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads the lines. A value may stand in quotes: within double ones `\n`, `\"` and the like are read, within single ones
 * nothing is. Without quotes it goes to the end of the line, or to a `#` behind a space: a password may hold a `#`.
 * Lines that are none are passed over; of two with one name the last counts.
 */
export function parseDotenv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/)) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name !== undefined && !line.trimStart().startsWith("#")) values[name] = valueOf(value);
  }
  return values;
}

/** The number of the first line that is no comment and holds what was no UTF-8 (`decodeMarked`). */
export function brokenLine(text: string): number | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  const index = lines.findIndex((line) => !line.trimStart().startsWith("#") && brokenAt(line) !== undefined);
  return index === -1 ? undefined : index + 1;
}

function valueOf(given: string): string {
  const text = given.trim();
  const [, single] = /^'([^']*)'\s*(?:#.*)?$/.exec(text) ?? [];
  if (single !== undefined) return single;
  const [, double] = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(text) ?? [];
  if (double !== undefined) return double.replace(/\\(.)/g, (_, character) => ESCAPES[character] ?? character);
  return given.replace(/\s#.*$/s, "").trim();
}
