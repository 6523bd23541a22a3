/** Stage `evict`: frees the NAS of a backup that another place is proved to keep. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { SOURCE } from "../core/ports.ts";

export const evict = defineStage({
  kind: "stage",
  name: "evict",
  summary:
    "Removes a backup from the NAS, file by file from the list of checksums, after proving again that another place keeps it.",
  takes: "backup",
  effect: "destroy",
  resume: "redo",
  usesLedger: true,
  options: z.strictObject({
    require: z.strictObject({
      places: z.number().int().min(1).default(1).meta({
        description: "How many other places, in distinct domains, must hold every file proved.",
      }),
    }).prefault({}).meta({ description: "What must hold before a file is removed.", example: { places: 1 } }),
    recheck: z.enum(["identity", "hash"]).default("identity").meta({
      description:
        "`hash` reads every file once more before it is removed; `identity` compares it with what was just proved.",
    }),
  }),
  example: `[[stage]]\nuse  = "evict"\nwith = { require = { places = 1 } }\n`,
  facts: (options) => ({
    kills: [{ fact: "hashed" }],
    destroys: { place: SOURCE, places: options.require.places },
  }),
  open(options) {
    return {
      async *plan(item, ctx) {
        for await (const batch of ctx.destroyBatches(SOURCE)) {
          yield {
            kind: "todo",
            id: batch.id,
            summary: `evict ${batch.summary}`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
        yield {
          kind: "todo",
          id: "finish",
          alone: true,
          summary: `remove the list of checksums and the folder of ${item.name}, and record the eviction`,
          data: null,
        };
      },
      async apply(step, ctx) {
        const rules = { place: SOURCE, places: options.require.places, recheck: options.recheck };
        if (step.files === undefined) return await ctx.finishDestroy(rules);
        const batch = { id: step.id, summary: step.summary, files: [...step.files], bytes: step.bytes ?? 0 };
        await ctx.destroy(batch, rules);
      },
    };
  },
});
