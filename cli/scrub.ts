/** Takes secrets out of what is logged or printed. Pure. @module */
import { hideNamed } from "./hide_named.ts";

/** Removes secrets from texts and values, in a time that grows with their length and no faster. */
export interface Scrubber {
  /**
   * This value is replaced wherever it occurs from now on. Values under 4 characters, blanks and words that say whether
   * there is one at all (`true`, `none`) would hit ordinary text.
   */
  add(secret: string): void;
  text(text: string): string;
  /** A copy that JSON can hold, with secrets replaced. */
  value(value: unknown): unknown;
}

const HIDDEN = "***";
const SHORTEST = 4;
/** Values of variables with names such as `TOKENIZERS_PARALLELISM` or `REQUIRE_PASSWORD`. */
const NO_SECRET = /^(?:true|false|none|null|undefined)$/i;
/** Names whose values are secret, in any spelling: `AWS_SECRET_ACCESS_KEY`, `appPassword`, `session-token`. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|password|secret|token|credential|authorization|private[_-]?key|api[_-]?key|access[_-]?key|webhook_url$/i;
/**
 * Each begins at a place that few texts have, and what it reads from there belongs to no other beginning: so the time is
 * linear. Names with their values are found by hand, in `hideNamed()`.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, `$1${HIDDEN}`],
  [/(?<=[a-z0-9+.-]:\/\/)[^/\s@"'][^/\s"']*@/gi, `${HIDDEN}@`],
  [/(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, `$1${HIDDEN}`],
  [/(\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}/g, `$1${HIDDEN}`],
];
const MAX_DEPTH = 8;
/** How often objects are shown that were shown before: a few that name each other would otherwise fill the memory. */
const MAX_REPEATS = 20_000;
const CUT = "…";

/** Whether a value of this name must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Makes a scrubber that knows the secrets of an environment by the names of its variables. */
export function createScrubber(env: Readonly<Record<string, string | undefined>> = {}): Scrubber {
  const secrets = new Set<string>();
  const add = (secret: string) => {
    if (secret.trim().length >= SHORTEST && !NO_SECRET.test(secret)) secrets.add(secret);
  };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && isSecretName(name)) add(value);
  }
  const text = (given: string) => {
    let clean = hideKnown(given, secrets);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return hideNamed(clean, HIDDEN);
  };
  return { add, text, value: (value) => plainCopy(value, text) };
}

/** Hides every part of the text that belongs to a secret, also where one overlaps another or lies within it. */
function hideKnown(text: string, secrets: ReadonlySet<string>): string {
  const found: { from: number; to: number }[] = [];
  for (const secret of secrets) {
    for (let from = text.indexOf(secret); from >= 0; from = text.indexOf(secret, from + secret.length)) {
      found.push({ from, to: from + secret.length });
    }
  }
  if (found.length === 0) return text;
  found.sort((a, b) => a.from - b.from);
  const parts: string[] = [];
  let shown = 0;
  for (const { from, to } of found) {
    if (from >= shown) parts.push(text.slice(shown, from), HIDDEN);
    shown = Math.max(shown, to);
  }
  return parts.join("") + text.slice(shown);
}

function plainCopy(whole: unknown, text: (text: string) => string): unknown {
  const seen = new Set<object>();
  const above = new Set<object>();
  let repeats = 0;
  const plain = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "function" || typeof value === "symbol") return text(String(value));
    if (value === null || typeof value !== "object") return value;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (depth >= MAX_DEPTH || above.has(value) || (seen.has(value) && ++repeats > MAX_REPEATS)) return CUT;
    seen.add(value);
    above.add(value);
    const copy = copied(value, depth);
    above.delete(value);
    return copy;
  };
  const copied = (value: object, depth: number): unknown => {
    if (value instanceof Error) return { ...plainError(value), cause: plain(value.cause, depth + 1) };
    if (Array.isArray(value)) return value.map((entry) => plain(entry, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [
        text(name),
        isSecretName(name) && entry !== null && entry !== undefined ? HIDDEN : plain(entry, depth + 1),
      ]),
    );
  };
  const plainError = (error: Error) => ({
    name: error.name,
    code: "code" in error ? plain(error.code, MAX_DEPTH) : undefined,
    message: text(error.message),
  });
  return plain(whole, 0);
}
