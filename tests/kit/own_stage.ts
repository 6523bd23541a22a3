/** Stages of a test's own. @module */
import { type AnyStage, defineStage, type Item, type Todo } from "../../core/contract.ts";
import { z } from "../../core/options.ts";
import type { DestroyRules, ReadContext, WriteContext } from "../../core/ports.ts";

/** `own`: a stage of one step. */
export function ownStage(
  apply: (ctx: WriteContext, step: Todo) => Promise<void>,
  more: Partial<AnyStage> = {},
): AnyStage {
  return defineStage({
    kind: "stage",
    name: "own",
    summary: "Own.",
    takes: "tree",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: () => ({
      async *plan() {
        yield { kind: "todo", id: "own", summary: "own", data: null };
      },
      apply: (step: Todo, ctx: WriteContext) => apply(ctx, step),
    }),
    ...more,
  } as AnyStage);
}

/** `own`: a stage that says it asks for two places and frees the source with these rules; `ends`: whether it closes that. */
export function freeingStage(rules: DestroyRules, { ends = () => true }: { ends?: () => boolean } = {}): AnyStage {
  return ownStage(() => Promise.resolve(), {
    effect: "destroy",
    facts: () => ({ destroys: { place: "source", places: 2 } }),
    open: () => ({
      async *plan(_item: Item, ctx: ReadContext) {
        for await (const batch of ctx.destroyBatches("source")) {
          yield { kind: "todo", id: batch.id, summary: "free", files: batch.files, data: null };
        }
        if (ends()) yield { kind: "todo", id: "end", summary: "end", alone: true, data: null };
      },
      async apply({ id, files = [] }: Todo, ctx: WriteContext) {
        if (id === "end") await ctx.finishDestroy(rules);
        else await ctx.destroy({ id, summary: "", files: [...files], bytes: 0 }, rules);
      },
    }),
  });
}
