/** Takes secrets out of what is logged or printed. Pure. @module */

/** Removes secrets from texts and values. */
export interface Scrubber {
  /** This value is replaced wherever it occurs from now on. Values under 4 characters would hit ordinary words. */
  add(secret: string): void;
  text(text: string): string;
  /** A copy that JSON can hold, with secrets replaced. */
  value(value: unknown): unknown;
}

const HIDDEN = "***";
/** Names whose values are secret, in any spelling: `AWS_SECRET_ACCESS_KEY`, `appPassword`, `session-token`. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|password|secret|token|credential|authorization|private[_-]?key|api[_-]?key|access[_-]?key|webhook_url$/i;
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, `$1${HIDDEN}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@"']+@/gi, `$1${HIDDEN}@`],
  [/(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, `$1${HIDDEN}`],
  [/(\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}/g, `$1${HIDDEN}`],
  [
    /("?[\w-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)[\w-]*"?\s*[=:]\s*)(?!["']?\$\{)("[^"]*"|'[^']*'|[^\s,;}"']+)/gi,
    `$1${HIDDEN}`,
  ],
];
const MAX_DEPTH = 8;

/** Whether a value of this name must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Makes a scrubber that knows the secrets of an environment by the names of its variables. */
export function createScrubber(env: Readonly<Record<string, string | undefined>> = {}): Scrubber {
  const secrets: string[] = [];
  const add = (secret: string) => {
    if (secret.length < 4 || secrets.includes(secret)) return;
    secrets.push(secret);
    // The longest first, so that a secret that contains another goes as a whole.
    secrets.sort((a, b) => b.length - a.length);
  };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && isSecretName(name)) add(value);
  }
  const text = (given: string) => {
    let clean = given;
    for (const secret of secrets) clean = clean.replaceAll(secret, HIDDEN);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean;
  };
  const plain = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "function" || typeof value === "symbol") return text(String(value));
    if (value === null || typeof value !== "object") return value;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (depth >= MAX_DEPTH) return "…";
    if (value instanceof Error) return { ...plainError(value), cause: plain(value.cause, depth + 1) };
    if (Array.isArray(value)) return value.map((entry) => plain(entry, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [
        name,
        isSecretName(name) && entry !== null && entry !== undefined ? HIDDEN : plain(entry, depth + 1),
      ]),
    );
  };
  const plainError = (error: Error) => ({
    name: error.name,
    code: "code" in error ? plain(error.code, MAX_DEPTH) : undefined,
    message: text(error.message),
  });
  return { add, text, value: (value) => plain(value, 0) };
}
