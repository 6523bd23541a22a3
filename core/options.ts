/**
 * Building blocks for plugins' option schemas: sizes, durations, names. One zod schema is the single specification:
 * types, defaults, checks, documentation and JSON Schema come from it.
 * @module
 */
import { z } from "zod";

export { z } from "zod";
export { formatSize } from "./sizes.ts";

const SIZE = /^\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)\s*$/;
const SIZE_UNITS: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/**
 * A size such as `"8 MiB"`, or a whole number of bytes, of at most `most` bytes. Output: bytes. Use
 * `.prefault("8 MiB")` for a default.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { byteSize } from "labferry";
 *
 * assert.equal(byteSize().parse("8 MiB"), 8 * 2 ** 20);
 * assert.throws(() => byteSize({ most: 2 ** 20 }).parse("8 MiB"), /wanted at most 1 MiB/);
 * ```
 */
export function byteSize({ most = Infinity }: { most?: number } = {}): z.ZodType<number, number | string> {
  return z.union([z.number().int().nonnegative(), z.string().meta({ pattern: SIZE.source })]).meta({ written: "size" })
    .transform((value, ctx) => {
      const bytes = typeof value === "number" ? value : bytesOf(value);
      if (bytes !== undefined && bytes <= most) return bytes;
      const wanted = bytes === undefined
        ? 'a size such as "8 MiB" (units B, KiB, MiB, GiB, TiB)'
        : `at most ${most / 2 ** 20} MiB`;
      ctx.addIssue({ code: "custom", message: `wanted ${wanted}, found ${JSON.stringify(value)}` });
      return z.NEVER;
    });
}

function bytesOf(text: string): number | undefined {
  const match = SIZE.exec(text);
  return match ? Math.round(Number(match[1]) * SIZE_UNITS[match[2]]) : undefined;
}

const DURATION = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*$/;
const DURATION_UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A duration such as `"2s"`, `"15 min"`, `"14d"`. Output: milliseconds.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { duration } from "labferry";
 *
 * assert.equal(duration().parse("15 min"), 900_000);
 * ```
 */
export function duration(): z.ZodType<number, string> {
  const wanted = 'wanted a duration such as "15min" (units ms, s, min, h, d, w)';
  const schema = z.string(wanted).meta({ pattern: DURATION.source, written: "duration" });
  return schema.transform((value, ctx) => {
    const match = DURATION.exec(value);
    if (match) return Number(match[1]) * DURATION_UNITS[match[2]];
    ctx.addIssue({ code: "custom", message: `${wanted}, found "${value}"` });
    return z.NEVER;
  });
}

/**
 * A path that must not be empty; relative ones resolve against the config file's folder before plugins see them.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pathOption } from "labferry";
 *
 * assert.throws(() => pathOption().parse(""), /wanted a path, found an empty string/);
 * ```
 */
export function pathOption(): z.ZodString {
  return z.string().min(1, "wanted a path, found an empty string").meta({ format: "path" });
}

/**
 * A prefix of keys: names with `/` between them; one at either end does no harm.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { keyPrefix } from "labferry";
 *
 * assert.equal(keyPrefix().parse("backups/fusion/"), "backups/fusion/");
 * assert.throws(() => keyPrefix().parse("backups/../other"), /wanted names/);
 * ```
 */
export function keyPrefix(): z.ZodString {
  return z.string().refine((text) => {
    const inner = text.replace(/^\/|\/$/g, "");
    return inner === "" || !/[\\\0]|(?:^|\/)\.{0,2}(?:\/|$)/.test(inner);
  }, 'wanted names with "/" between them, none of them empty, "." or ".."');
}

/**
 * The id of a place: the id of the stage that writes it.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { placeId } from "labferry";
 *
 * assert.throws(() => placeId().parse("/nas"), /wanted the id of a stage/);
 * ```
 */
export function placeId(): z.ZodString {
  return z.string().regex(/^[a-z][a-z0-9_-]*$/, "wanted the id of a stage that writes a place, such as truenas");
}

/**
 * A program and its arguments, without a shell. Empty means: nothing to run.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { argv } from "labferry";
 *
 * assert.deepEqual(argv().parse(["tar", "-cf"]), ["tar", "-cf"]);
 * ```
 */
export function argv(): z.ZodArray<z.ZodString> {
  return z.array(z.string());
}

/**
 * Source of a regular expression for a date with a time, as logs write them: `2026-01-31 12:34:56.789`,
 * `2026/01/31T12:34:56Z`, `31.01.2026 12:34:56`, `1/31/2026, 9:34:56 AM`.
 */
export const TIMESTAMP: string = "(?:\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{4})[T ,]+" +
  "\\d{1,2}:\\d{2}:\\d{2}(?:[.,]\\d{1,12})?(?: ?(?:Z|[AaPp][Mm]|[+-]\\d{2}:?\\d{2})(?!\\w))?";

/** A line that begins with a timestamp, or has one behind a short head such as `[` or a level. */
export const TIMESTAMP_LINE: string = `^.{0,32}?(?<!\\d)${TIMESTAMP}`;

/**
 * A regular expression of JavaScript, as text; `(?i:…)` ignores case. Use `.prefault("…")` for a default.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pattern } from "labferry";
 *
 * assert.ok(pattern().parse("(?i:\\.jpe?g)$").test("Scan1/preview.JPG"));
 * ```
 */
export function pattern(): z.ZodType<RegExp, string> {
  return z.string().min(1).meta({ written: "pattern" }).transform((value, ctx) => {
    try {
      return new RegExp(value);
    } catch (error) {
      ctx.addIssue({
        code: "custom",
        message: `wanted a regular expression, found "${value}": ${(error as Error).message}`,
      });
      return z.NEVER;
    }
  });
}
