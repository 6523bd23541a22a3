/**
 * Hides what stands behind the name of a secret: `smtp password = "x"`, `{"app_password": "x"}`, `--token=x`. Written by
 * hand, since an expression that looks for a name with a keyword somewhere inside tries each of its letters as the
 * beginning: here every letter is looked at a fixed number of times. Pure.
 * @module
 */

const KEYWORD = /password|passwd|passphrase|secret|token|(?:api|access|private)[_-]?key|webhook_url/gi;
/** Behind the name there may be its closing quote, escaped when the text stands in a text of JSON. */
const SEPARATOR = /\\{0,9}["'`]?\s*[=:][=:>]{0,2}\s*/y;
const BARE_VALUE = /[^\s,;}"']+/y;
/** What says whether there is a value, and is none. A sentence that begins with such a word may be a passphrase. */
const STATE =
  /(?:absent|empty|expired|false|invalid|missing|nil|no|none|null|off|on|optional|required|true|undefined|unknown|unset|wrong|yes|not (?:accepted|found|given|known|needed|set|there|valid))[.)\]!?]{0,3}(?=[,;}"'\n]|\r\n|\s?$| [[(]| [\w-]{1,64}=)/iy;
/**
 * What is said of a file: how messages of systems begin (`/etc/passwd: Permission denied`), and codes (`path/escapes`).
 * No other word: files below such paths hold secrets, and a program may well print both.
 */
const SAID_OF_FILE =
  /^(?:Access|Bad|Broken|Cannot|Device|Directory|File|Input\/output|Interrupted|Invalid|Is|No|Not|Operation|Permission|Read-only|Resource|Stale|Text|Too|[a-z]{1,14}\/[a-z]{1,14}(?:-[a-z]{1,14}){0,3})[.)\]!?]{0,3}$/;
const LONGEST_WORD = 64;
const ENDS_PATH = /[\s"'`()[\]{}<>=:,;|]/;

/**
 * Returns the text with `hidden` in place of each value whose name speaks of a secret. A template (`${env.PASS}`) stays:
 * it names a secret and holds none; so does a word of a state (`none`), and what is said of a file behind its path.
 */
export function hideNamed(text: string, hidden: string): string {
  const parts: string[] = [];
  const quotes = new ClosingQuotes(text);
  let shown = 0;
  KEYWORD.lastIndex = 0;
  for (let hit = KEYWORD.exec(text); hit !== null; hit = KEYWORD.exec(text)) {
    const name = nameAt(text, hit.index, shown);
    // The rest of the name is not searched: it has one value, whatever else it says.
    KEYWORD.lastIndex = name.to;
    SEPARATOR.lastIndex = name.to;
    if (!SEPARATOR.test(text)) continue;
    const from = SEPARATOR.lastIndex;
    KEYWORD.lastIndex = from;
    if (isTemplate(text, from)) continue;
    const to = quotes.end(from) ?? endOfBare(text, from);
    if (to === undefined || isState(text, from)) continue;
    if (endsPath(text, name.from) && isSaidOfFile(text, { from, to })) continue;
    parts.push(text.slice(shown, from), hidden);
    shown = to;
    KEYWORD.lastIndex = to;
  }
  return shown === 0 ? text : parts.join("") + text.slice(shown);
}

/** The letters, digits, `_` and `-` around a place. */
function nameAt(text: string, at: number, least: number): { from: number; to: number } {
  let from = at;
  while (from > least && isOfName(text.charCodeAt(from - 1))) from--;
  let to = at;
  while (to < text.length && isOfName(text.charCodeAt(to))) to++;
  return { from, to };
}

function isOfName(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 ||
    code === 45;
}

/** Whether the name that begins at `from` is the last part of an absolute path. What may be a URL does not count. */
function endsPath(text: string, from: number): boolean {
  if (text[from - 1] !== "/") return false;
  let start = from;
  while (start > 0 && !ENDS_PATH.test(text[start - 1])) start--;
  return text[start] === "/" && text[start + 1] !== "/";
}

function isTemplate(text: string, from: number): boolean {
  return text.startsWith("${", from) || (/["']/.test(text[from] ?? "") && text.startsWith("${", from + 1));
}

/** Where a value without quotes ends; undefined where there is none. */
function endOfBare(text: string, from: number): number | undefined {
  BARE_VALUE.lastIndex = from;
  return BARE_VALUE.test(text) ? BARE_VALUE.lastIndex : undefined;
}

/** Whether the value tells of a state. */
function isState(text: string, from: number): boolean {
  STATE.lastIndex = from;
  return STATE.test(text);
}

/** Whether the value is what systems and labferry say of files. */
function isSaidOfFile(text: string, { from, to }: { from: number; to: number }): boolean {
  return to - from <= LONGEST_WORD && SAID_OF_FILE.test(text.slice(from, to));
}

/** Finds where quoted values end. */
class ClosingQuotes {
  readonly #text: string;
  /** Quotes that were once searched for up to the end, in vain. */
  readonly #unclosed = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * Behind the closing quote of the value that begins at `from`; the end of its line when there is none, as where a line
   * was cut. Undefined for what is not quoted.
   */
  end(from: number): number | undefined {
    const text = this.#text;
    let start = from;
    while (text[start] === "\\") start++;
    const quote = text[start];
    if (quote !== '"' && quote !== "'") return undefined;
    const escapes = start - from;
    if (!this.#unclosed.has(quote)) {
      let before = start + 1;
      for (let at = text.indexOf(quote, before); at >= 0; at = text.indexOf(quote, before)) {
        let backslashes = 0;
        while (at - backslashes > before && text[at - backslashes - 1] === "\\") backslashes++;
        // As many backslashes as at the beginning, or pairs that stand for backslashes of the value.
        if (backslashes < escapes || backslashes % (2 * (escapes + 1)) === escapes) return at + 1;
        before = at + 1;
      }
      this.#unclosed.add(quote);
    }
    const newline = text.indexOf("\n", start);
    return newline < 0 ? text.length : newline;
  }
}
