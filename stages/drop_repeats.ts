/** Stage `drop-repeats`: an error that people know of is not told again. @module */
import { createHash } from "node:crypto";
import { defineStage } from "../core/contract.ts";
import { duration, TIMESTAMP, z } from "../core/options.ts";
import { type Block, blocksIn } from "./_blocks.ts";
import { seenWithin } from "./_repeats.ts";

export const dropRepeats = defineStage({
  kind: "stage",
  name: "drop-repeats",
  summary: "Lets each error pass once within a time, whatever its timestamps, and drops its repetitions.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    window: duration().meta({ description: "How long repetitions are dropped; 0d lets all pass.", unit: "ms" }),
    chars: z.number().int().min(1).default(200).meta({
      description: "How much of an error counts, from its beginning, timestamps left out.",
      unit: "characters",
    }),
  }),
  example: `[[stage]]\nuse  = "drop-repeats"\nwith = { window = "\${monitor.sent_keep_days}d" }\n`,
  open: ({ window, chars }) => ({
    async *plan(item, ctx) {
      if (window === 0) {
        yield { kind: "skip", why: "all may pass" };
        return;
      }
      const fresh = new Map<string, Block>();
      let dropped = 0;
      for (const block of blocksIn(item.data)) {
        const key = repeatKey(block.text, chars);
        const first = fresh.get(key);
        if (first !== undefined) {
          fresh.set(key, { ...first, repeats: (first.repeats ?? 0) + 1 });
          continue;
        }
        if (await seenWithin(ctx, key, window) !== undefined) dropped++;
        else fresh.set(key, block);
      }
      if (fresh.size === 0) {
        yield { kind: "drop", why: `${dropped === 1 ? "the error is" : `all ${dropped} errors are`} known` };
        return;
      }
      const blocks = [...fresh.values()].map((block) => ({ ...block }));
      const summary = `let ${blocks.length} pass${dropped === 0 ? "" : `, drop ${dropped} that are known`}`;
      yield { kind: "todo", id: "pass", summary, promises: { blocks }, data: { blocks, keys: [...fresh.keys()] } };
    },
    apply({ data: { blocks, keys } }, ctx) {
      ctx.amend({ blocks });
      for (const key of keys) ctx.remember(key, window);
      return Promise.resolve();
    },
  }),
});

/** What two errors have in common that are the same one: the first characters, without timestamps and indentation. */
export function repeatKey(text: string, chars: number): string {
  // An error may have megabytes; so much of it holds the characters in any case, timestamps and all.
  const bare = text.slice(0, chars * 50).replace(new RegExp(`\\[?${TIMESTAMP}\\]?`, "g"), " ").replace(/\s+/g, " ")
    .trim();
  return createHash("sha256").update([...bare.slice(0, chars * 2)].slice(0, chars).join("")).digest("hex");
}
