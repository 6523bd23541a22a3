/** Stage `delete`: frees the instrument of files whose other copies are proved. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { SOURCE } from "../core/ports.ts";

export const deleteStage = defineStage({
  kind: "stage",
  name: "delete",
  summary: "Removes the study from the instrument, file by file from the evidence, after proving again that it may.",
  takes: "tree",
  effect: "destroy",
  resume: "redo",
  usesLedger: true,
  options: z.strictObject({
    require: z.strictObject({
      places: z.number().int().min(1).default(1).meta({
        description: "How many other places, in distinct domains, must hold every file proved.",
      }),
    }).prefault({}).meta({ description: "What must hold before a file is removed.", example: { places: 2 } }),
    recheck: z.enum(["identity", "hash"]).default("identity").meta({
      description: "`hash` reads every file once more before it is removed; `identity` compares its change identity.",
    }),
  }),
  example: `[[stage]]\nuse  = "delete"\nwith = { require = { places = 2 } }\n`,
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
            summary: `delete ${batch.summary} from the source`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
        yield {
          kind: "todo",
          id: "finish",
          alone: true,
          summary: `remove the empty folders of ${item.name} and record the deletion`,
          data: null,
        };
      },
      async apply(step, ctx) {
        const rules = { place: SOURCE, places: options.require.places, recheck: options.recheck };
        if (step.files === undefined) await ctx.finishDestroy(rules);
        else {await ctx.destroy(
            { id: step.id, summary: step.summary, files: [...step.files], bytes: step.bytes ?? 0 },
            rules,
          );}
      },
    };
  },
});
