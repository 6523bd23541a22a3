/** Stage `verify`: reads every file at a place again, from the medium, and compares the hashes. @module */
import { defineStage } from "../core/contract.ts";
import { placeId, z } from "../core/options.ts";
import type { SourceFile } from "../core/contract.ts";
import type { Evidence, ReadContext } from "../core/ports.ts";

/** Proofs that rest on what a store says, or that a dry run promised. */
const NOT_READ: ReadonlySet<Evidence["guarantee"]> = new Set(["server-checksum", "signed-payload", "none"]);

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
        for await (const batch of ctx.place(place).batches(unread(ctx, place))) {
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

/** Files nobody has read at the place since they were written: whoever asks for `verify` wants more than a store's word. */
async function* unread(ctx: ReadContext, place: string): AsyncIterable<SourceFile> {
  for await (const evidence of ctx.evidence.list(place)) {
    const isRead = evidence.level === "proved" && !NOT_READ.has(evidence.guarantee);
    if (isRead && !ctx.force) continue;
    yield { path: evidence.path, size: evidence.size, mtimeMs: null };
  }
}
