/** Source `outbox`: the events that wait to be told to people. @module */
import { defineSource } from "../../core/contract.ts";
import { z } from "../../core/options.ts";

/** When so many in a row had to wait, the others would, too: the servers are away. */
const WAITING_IN_A_ROW = 10;

export const outbox = defineSource({
  kind: "source",
  name: "outbox",
  summary: "Events that commands have queued and that nobody was told of yet, oldest first.",
  yields: "event",
  endless: false,
  options: z.strictObject({}),
  example: `[source]\nuse = "outbox"\n`,
  open() {
    let waiting = 0;
    return {
      async *items(ctx) {
        // Another config of this state folder tells of events of its own.
        if (!await ctx.claim(`outbox of ${ctx.run.configFile}`)) {
          ctx.log.info("the events are being delivered by another process already");
          return;
        }
        for await (const { id, event, at, data } of ctx.pending()) {
          yield { id, name: event, kind: "event", data: { event, at, details: data } };
          if (waiting >= WAITING_IN_A_ROW) return;
        }
      },
      async ack(item, outcome, ctx) {
        waiting = outcome === "waiting" ? waiting + 1 : 0;
        // What failed or waits stays in the outbox: it is delivered at least once.
        if (outcome === "failed" || outcome === "waiting") return;
        await ctx.markSent(item.id);
      },
    };
  },
});
