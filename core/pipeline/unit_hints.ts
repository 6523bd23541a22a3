/** Words for sizes and durations without a unit, or with one nobody knows. Pure. @module */
import type { Json } from "../json.ts";

const DURATIONS: readonly [unit: string, words: RegExp][] = [
  ["ms", /^m(illi)?s/],
  ["s", /^s/],
  ["min", /^mi?n?/],
  ["h", /^h/],
  ["d", /^d/],
  ["w", /^w/],
];

const SIZES: readonly [unit: string, words: RegExp][] = [
  ["KiB", /^k/],
  ["MiB", /^m/],
  ["GiB", /^g/],
  ["TiB", /^t/],
  ["B", /^b/],
];

/** How to write what was meant, where a duration or a size was wanted; `message` says which. */
export function unitHint(message: string, found: Json | undefined): string | undefined {
  const isSize = /^wanted a size/.test(message);
  if (!isSize && !/^wanted a duration/.test(message)) return undefined;
  if (typeof found !== "number" && typeof found !== "string") return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(String(found));
  if (match === null) return undefined;
  const [, number, word] = match;
  if (word === "") {
    return isSize
      ? `add a unit: "${number} MiB", "${number} GiB"; a number of bytes stands without quotes`
      : `add a unit: "${number}d" (days), "${number}h", "${number}min" or "${number}s"`;
  }
  const unit = (isSize ? SIZES : DURATIONS).find(([, words]) => words.test(word.toLowerCase()))?.[0];
  return unit === undefined ? undefined : `write "${number}${isSize ? " " : ""}${unit}"`;
}
