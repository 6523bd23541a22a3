/** Stage `error-blocks`: the errors within the records of a log. @module */
import { defineStage, type Item, type Json } from "../core/contract.ts";
import { pattern, TIMESTAMP_LINE, z } from "../core/options.ts";
import { type Block, recordsOf } from "./_blocks.ts";

export const errorBlocks = defineStage({
  kind: "stage",
  name: "error-blocks",
  summary: "Finds the errors in the records of a log, and drops what has none.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    error: z.array(pattern()).min(1).prefault([`${TIMESTAMP_LINE}.*\\bERROR\\b`]).meta({
      description: "Expressions, one of which the first line of an error matches.",
    }),
    until: pattern().prefault(TIMESTAMP_LINE).meta({
      description: "Tells the first line behind an error. An error ends with its record at the latest.",
    }),
  }),
  example: `[[stage]]\nuse  = "error-blocks"\nwith = { error = ['\\b(ERROR|FATAL)\\b'] }\n`,
  open: (options) => ({
    async *plan(item) {
      const blocks = blocksOf(item, options);
      if (blocks.length === 0) {
        yield { kind: "drop", why: "no error" };
        return;
      }
      const data = { blocks: blocks.map((block) => ({ ...block })), records: [] };
      const summary = blocks.length === 1 ? "find 1 error" : `find ${blocks.length} errors`;
      yield { kind: "todo", id: "find", summary, promises: data, data };
    },
    apply(step, ctx) {
      ctx.amend(step.data);
      return Promise.resolve();
    },
  }),
});

/** The errors of an item, in order: from a line that is one to before the next line that begins something else. */
export function blocksOf(
  item: Pick<Item, "data">,
  { error, until }: { error: readonly RegExp[]; until: RegExp },
): Block[] {
  const blocks: Block[] = [];
  for (const { at, text, context } of recordsOf(item.data as { [key: string]: Json })) {
    let lines: string[] | undefined;
    let nth = 0;
    const close = () => {
      if (lines) blocks.push({ at, nth: nth++, text: lines.join("\n"), ...context === undefined ? {} : { context } });
      lines = undefined;
    };
    for (const line of text.split("\n")) {
      if (lines !== undefined && until.test(line)) close();
      if (lines !== undefined) lines.push(line);
      else if (error.some((one) => one.test(line))) lines = [line];
    }
    close();
  }
  return blocks;
}
