/** Stage `lock`: takes the item for this process until the item ends. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";

export const lock = defineStage({
  kind: "stage",
  name: "lock",
  summary: "Takes the study for this process by an OS lock on .labferry.lock; a destroy needs it.",
  takes: "folder",
  effect: "create",
  resume: "redo",
  options: z.strictObject({}),
  example: `[[stage]]\nuse = "lock"\n`,
  facts: () => ({ gives: [{ fact: "locked" }] }),
  open() {
    return {
      async *plan(item) {
        yield { kind: "todo", id: "lock", summary: `lock ${item.name}`, data: null };
      },
      apply: (_step, ctx) => ctx.lock(),
    };
  },
});
