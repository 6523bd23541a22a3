/** Stage `render`: puts an event into words, as plain text and as HTML. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { messageOf } from "./_message.ts";

export const render = defineStage({
  kind: "stage",
  name: "render",
  summary: "Puts an event into words: what happened, to what, since when and what to do now.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    prefix: z.string().min(1).default("[labferry]").meta({ description: "What every subject begins with." }),
  }),
  example: `[[stage]]\nuse = "render"\n`,
  open: ({ prefix }) => ({
    async *plan(item, ctx) {
      const words = messageOf(item, { prefix, host: ctx.run.host });
      yield { kind: "todo", id: "render", summary: `write "${words.subject}"`, promises: { ...words }, data: words };
    },
    apply(step, ctx) {
      ctx.amend(step.data);
      return Promise.resolve();
    },
  }),
});
