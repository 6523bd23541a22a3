/** Stage `evict`: frees the NAS of a backup that another place is proved to keep. @module */
import { defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { destroyFacts, destroyRun, requireOption } from "./_destroy.ts";

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
    require: requireOption({ places: 1 }),
    recheck: z.enum(["identity", "hash"]).default("identity").meta({
      description:
        "`hash` reads every file once more before it is removed; `identity` compares it with what was just proved.",
    }),
  }),
  example: `[[stage]]\nuse  = "evict"\nwith = { require = { places = 1 } }\n`,
  facts: destroyFacts,
  open: (options) =>
    destroyRun(options, {
      batch: (summary) => `evict ${summary}`,
      finish: (name) => `remove the list of checksums and the folder of ${name}, and record the eviction`,
    }),
});
