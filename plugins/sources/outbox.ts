/** Source `outbox`: the events that wait to be told to people. @module */
import { defineSource } from "../../core/contract.ts";
import { z } from "../../core/options.ts";

export const outbox = defineSource({
  kind: "source",
  name: "outbox",
  summary: "Events that commands have queued and that nobody was told of yet, oldest first.",
  yields: "event",
  endless: false,
  options: z.strictObject({}),
  example: `[source]\nuse = "outbox"\n`,
  open: () => ({
    async *items(ctx) {
      // Another config of this state folder tells of events of its own.
      if (!await ctx.claim(`outbox of ${ctx.run.configFile}`)) {
        ctx.log.info("the events are being delivered by another process already");
        return;
      }
      for (const { id, event, at, data } of await ctx.pending()) {
        yield { id, name: event, kind: "event", data: { event, at, details: data } };
      }
    },
    async ack(item, outcome, ctx) {
      // What failed or waits stays in the outbox: it is delivered at least once.
      if (outcome === "failed" || outcome === "waiting") return;
      await ctx.markSent(item.id);
    },
  }),
});
