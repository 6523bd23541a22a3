/** Stage `emit`: queues an event for people. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";

export const emit = defineStage({
  kind: "stage",
  name: "emit",
  summary: "Puts the item into the outbox as an event, which the notify pipeline tells people of.",
  takes: "event",
  effect: "create",
  resume: "redo",
  options: z.strictObject({
    event: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, "wanted lower-case letters, digits, - and _").meta({
      description: "Name of the event, and so of its list of recipients.",
      example: "fusion_error",
    }),
  }),
  example: `[[stage]]\nuse  = "emit"\nwith = { event = "fusion_error" }\n`,
  open: ({ event }) => ({
    async *plan() {
      yield { kind: "todo", id: event, summary: `queue event ${event}`, data: null };
    },
    apply: (_step, ctx) => ctx.emit({ event, data: ctx.item.data }),
  }),
});
