/** Stage `error-context`: what the instrument was at when an error came. @module */
import { defineStage } from "../core/contract.ts";
import { pattern, z } from "../core/options.ts";
import { blocksIn } from "./_blocks.ts";

export const errorContext = defineStage({
  kind: "stage",
  name: "error-context",
  summary: "Adds to each error what the nearest lines before it say: the sample, the cycle.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    patterns: z.array(pattern()).min(1).prefault([
      String.raw`(?i:\bsample(?: ?name| ?id)?)\s*[:=]\s*["']?(?<sample>[^"',;\]\s]+)`,
      String.raw`(?i:\bcycle)\s*(?:[:=#]\s*)?(?<cycle>\d+)`,
    ]).meta({
      description: "Expressions with named groups, tried on each line of the context; a group is added by its name.",
    }),
  }),
  example: `[[stage]]\nuse  = "error-context"\nwith = { patterns = ['Sample: (?<sample>\\w+)'] }\n`,
  open: ({ patterns }) => ({
    async *plan(item) {
      const blocks = blocksIn(item.data).map(({ context = [], ...block }) => ({
        ...block,
        found: namedIn(context, patterns),
      }));
      const named = new Set(blocks.flatMap(({ found }) => Object.keys(found)));
      if (named.size === 0) {
        yield { kind: "skip", why: "nothing was found before the errors" };
        return;
      }
      yield { kind: "todo", id: "add", summary: `add ${[...named].join(", ")}`, promises: { blocks }, data: blocks };
    },
    apply(step, ctx) {
      ctx.amend({ blocks: step.data });
      return Promise.resolve();
    },
  }),
});

/** What the named groups of the patterns find in these lines; of several lines the last that has one counts. */
export function namedIn(lines: readonly string[], patterns: readonly RegExp[]): { [name: string]: string } {
  const found: { [name: string]: string } = {};
  for (const line of lines) {
    for (const one of patterns) {
      for (const [name, value] of Object.entries(one.exec(line)?.groups ?? {})) {
        if (value !== undefined) found[name] = value;
      }
    }
  }
  return found;
}
