/** Stage `verify`: reads every file at a place again, from the medium, and compares the hashes. @module */
import { defineStage } from "../core/contract.ts";
import { placeId, z } from "../core/options.ts";
import type { SourceFile } from "../core/contract.ts";
import type { ReadContext } from "../core/ports.ts";

export const verify = defineStage({
  kind: "stage",
  name: "verify",
  summary: "Reads every file at a place again, past the page cache, and compares it with the hash of the source.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  parallel: 2,
  options: z.strictObject({
    place: placeId().meta({ description: "Id of the stage that wrote the place.", example: "truenas" }),
  }),
  example: `[[stage]]\nuse  = "verify"\nwith = { place = "truenas" }\n`,
  facts: (options) => ({
    needs: [{ fact: "hashed" }, { fact: "written", place: options.place }],
    gives: [{ fact: "proved", place: options.place, strength: "strong" }],
  }),
  open(options) {
    return {
      async *plan(item, ctx) {
        const { place } = options;
        for await (const batch of ctx.place(place).batches(unproved(ctx, place))) {
          yield {
            kind: "todo",
            id: batch.id,
            summary: `verify ${batch.summary} at ${place}`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
        yield {
          kind: "todo",
          id: "enumerate",
          alone: true,
          summary: `enumerate ${ctx.place(place).uri(item)}`,
          data: null,
        };
      },
      async apply(step, ctx) {
        const place = ctx.place(options.place);
        if (step.files === undefined) await place.enumerate();
        else await place.prove(step.files);
      },
    };
  },
});

async function* unproved(ctx: ReadContext, place: string): AsyncIterable<SourceFile> {
  for await (const evidence of ctx.evidence.list(place, ctx.force ? {} : { level: "written" })) {
    yield { path: evidence.path, size: evidence.size, mtimeMs: null };
  }
}
