/** Stage `delete`: frees the instrument of files whose other copies are proved. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { destroyFacts, destroyRun, requireOption } from "./_destroy.ts";

export const deleteStage = defineStage({
  kind: "stage",
  name: "delete",
  summary: "Removes the study from the instrument, file by file from the evidence, after proving again that it may.",
  takes: "tree",
  effect: "destroy",
  resume: "redo",
  usesLedger: true,
  options: z.strictObject({
    require: requireOption({ places: 2 }),
    recheck: z.enum(["identity", "hash"]).default("identity").meta({
      description: "`hash` reads every file once more before it is removed; `identity` compares its change identity.",
    }),
  }),
  example: `[[stage]]\nuse  = "delete"\nwith = { require = { places = 2 } }\n`,
  facts: destroyFacts,
  open: (options) =>
    destroyRun(options, {
      batch: (summary) => `delete ${summary} from the source`,
      finish: (name) => `remove the empty folders of ${name} and record the deletion`,
    }),
});
