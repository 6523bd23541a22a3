/**
 * The grammar of error messages (house rule 7), for plain strings, templates, sums and choices of them.
 * @module
 */
import { isProduct, literalText, repositoryPath } from "./_files.ts";

/** The text of a message as far as it is known: `null` stands for a value filled in at run time. */
type Pieces = (string | null)[];

/** Returns every form a message expression can take. */
function forms(node: Deno.lint.Node): Pieces[] {
  const text = literalText(node);
  if (text !== undefined) return [[text]];
  if (node.type === "TemplateLiteral") {
    return [node.quasis.flatMap((quasi, at) => at === 0 ? [quasi.cooked] : [null, quasi.cooked])];
  }
  if (node.type === "BinaryExpression" && node.operator === "+") {
    const right = forms(node.right);
    return forms(node.left).flatMap((left) => right.map((end) => [...left, ...end]));
  }
  if (node.type === "ConditionalExpression") return [...forms(node.consequent), ...forms(node.alternate)];
  if (node.type === "TSAsExpression" || node.type === "TSSatisfiesExpression") return forms(node.expression);
  return [[null]];
}

const CONTRACTION = /\b(?:\w+n['’]t|\w+['’](?:re|ve|ll|d|m)|(?:it|that|there|what|here|let|who)['’]s)\b/i;

/** Returns what is wrong with a message; its known pieces in order, `null` for values. */
export function messageProblems(pieces: readonly (string | null)[]): string[] {
  const problems: string[] = [];
  const known = pieces.filter((piece) => piece !== "");
  const first = known.at(0);
  const last = known.at(-1);
  if (typeof first === "string" && !/^Cannot (?:[a-z]|$)/.test(first)) {
    problems.push('An error message begins with "Cannot <verb>"');
  }
  if (typeof last === "string" && /[.!]\s*$/.test(last)) problems.push("An error message has no final period");
  for (const piece of known) {
    const found = piece === null ? null : CONTRACTION.exec(piece);
    if (found) problems.push(`An error message has no contraction, found "${found[0]}"`);
  }
  return problems;
}

const CODE = /^[a-z0-9]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/;

export const errorMessage: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || !isProduct(file)) return {};
    return {
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "PipelineError") return;
        const [code, message] = node.arguments;
        for (const form of code === undefined ? [] : forms(code)) {
          // A code put together at run time cannot be listed in the documentation of errors, but choices can.
          const text = form.length === 1 ? form[0] : null;
          if (text !== null && !CODE.test(text)) {
            ctx.report({ node: code, message: `An error code reads area/problem, found "${text}"` });
          }
        }
        const problems = new Set((message === undefined ? [] : forms(message)).flatMap(messageProblems));
        for (const problem of problems) {
          ctx.report({ node: message, message: problem, hint: 'Cannot <verb> "<thing>": <state found>, wanted <…>' });
        }
      },
    };
  },
};
