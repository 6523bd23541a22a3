/** Stage `checksum-sidecar`: writes `_checksums.sha256`, in the format of `sha256sum -c`, beside the copied files. @module */
import { defineStage } from "../core/contract.ts";
import { placeId, z } from "../core/options.ts";

export const checksumSidecar = defineStage({
  kind: "stage",
  name: "checksum-sidecar",
  summary: "Writes _checksums.sha256 into the copied study, from the evidence; sha256sum -c reads it.",
  takes: "tree",
  effect: "create",
  resume: "redo",
  options: z.strictObject({
    place: placeId().meta({ description: "Id of the stage that wrote the place.", example: "truenas" }),
  }),
  example: `[[stage]]\nuse  = "checksum-sidecar"\nwith = { place = "truenas" }\n`,
  facts: (options) => ({
    needs: [{ fact: "proved", place: options.place, strength: "weak" }],
    gives: [{ fact: "sealed", place: options.place }],
  }),
  open(options) {
    return {
      async *plan(_item, ctx) {
        if (!ctx.force && await ctx.place(options.place).isSealed()) {
          yield { kind: "skip", why: `the sidecar at ${options.place} equals the evidence`, files: 1 };
          return;
        }
        yield { kind: "todo", id: "seal", summary: `write the checksum sidecar at ${options.place}`, data: null };
      },
      apply: (_step, ctx) => ctx.place(options.place).seal(),
    };
  },
});
