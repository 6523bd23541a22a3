/** Stage `manifest-append`: appends to the ledger what is true of the item now. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import type { LedgerStatus } from "../core/ports.ts";

export const manifestAppend = defineStage({
  kind: "stage",
  name: "manifest-append",
  summary: "Appends a record to the ledger; `complete` only when every place is proved and sealed.",
  takes: "tree",
  effect: "create",
  resume: "redo",
  onItemFailed: true,
  usesLedger: true,
  options: z.strictObject({
    status: z.enum(["in_progress", "complete", "failed"]).meta({
      description:
        "What to record; `failed` becomes failed_validation, failed_truenas or failed_s3 by the stage that failed.",
      example: "complete",
    }),
  }),
  example: `[[stage]]\nuse  = "manifest-append"\nid   = "record"\nwith = { status = "complete" }\n`,
  facts: (options) => options.status === "complete" ? { needsAllProved: true, gives: [{ fact: "recorded" }] } : {},
  open(options) {
    return {
      async *plan(_item, ctx) {
        const latest = await ctx.ledger();
        // Also of an earlier incarnation: a study that was put back is complete until it is complete again.
        if (latest?.status === "complete" && options.status !== "complete") {
          yield { kind: "skip", why: `the ledger has this backup as complete since ${latest.completed_at}` };
          return;
        }
        const status: LedgerStatus = options.status === "failed" ? ctx.failure?.status ?? "failed" : options.status;
        yield { kind: "todo", id: status, summary: `record ${status} in the ledger`, data: { status } };
      },
      apply: (step, ctx) => ctx.record(step.data.status as LedgerStatus),
    };
  },
});
