/** Finds the errors that a source file makes: code, message and hint, as far as they stand there as text. Pure. @module */

/** One place that makes an error. `…` stands in its texts for what varies. */
export interface ErrorUse {
  code: string;
  message: string;
  hint?: string;
}

const MAKES = /new PipelineError\(\s*"([a-z][a-z0-9-]*\/[a-z][a-z0-9-]*)",\s*/g;

/** The errors of a file in their order. One whose code is worked out is not found. */
export function errorsIn(text: string): ErrorUse[] {
  const source = text.replace(/\/\*[\s\S]*?\*\//g, "");
  return [...source.matchAll(MAKES)].map((made) => {
    const from = made.index + made[0].length;
    const to = endOfCall(source, from);
    const hintAt = source.slice(from, to).search(/\bhint:\s*/);
    const hint = hintAt < 0
      ? undefined
      : textAt(source, from + hintAt + /hint:\s*/.exec(source.slice(from + hintAt))![0].length);
    return { code: made[1], message: textAt(source, from) ?? "…", ...hint === undefined ? {} : { hint } };
  });
}

/** Where the parentheses close that are open at `from`. */
function endOfCall(source: string, from: number): number {
  for (let at = from, depth = 1; at < source.length;) {
    const literal = literalAt(source, at);
    if (literal !== undefined) {
      at = literal.end;
      continue;
    }
    if ("([{".includes(source[at])) depth++;
    if (")]}".includes(source[at]) && --depth === 0) return at;
    at++;
  }
  return source.length;
}

/** Literals joined by `+` from `at` on, as one text; undefined where there is none. */
function textAt(source: string, at: number): string | undefined {
  let text: string | undefined;
  for (;;) {
    const literal = literalAt(source, at);
    if (literal === undefined) return text;
    text = (text ?? "") + literal.text;
    const plus = /^\s*\+\s*/.exec(source.slice(literal.end));
    if (plus === null) return text;
    at = literal.end + plus[0].length;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: " ", t: " ", r: " " };

function literalAt(source: string, at: number): { text: string; end: number } | undefined {
  const quote = source[at];
  if (quote !== '"' && quote !== "'" && quote !== "`") return undefined;
  let text = "";
  for (let here = at + 1; here < source.length; here++) {
    const character = source[here];
    if (character === quote) return { text, end: here + 1 };
    if (character === "\\") text += ESCAPES[source[++here]] ?? source[here];
    else if (quote === "`" && character === "$" && source[here + 1] === "{") {
      here = endOfCall(source, here + 2);
      text += "…";
    } else text += character;
  }
  return undefined;
}
