/** Stage `copy`: copies the item to a folder place, hashing each file in the same pass. @module */
import { defineStage } from "../core/contract.ts";
import type { SourceFile } from "../core/contract.ts";
import { pathOption, z } from "../core/options.ts";

export const copy = defineStage({
  kind: "stage",
  name: "copy",
  summary: "Copies the study to a folder place; hashes each file in the same pass and never replaces a file.",
  takes: "tree",
  effect: "create",
  resume: "redo",
  parallel: 2,
  options: z.strictObject({
    to: pathOption().meta({
      description: "Root folder of the place; the study's name is appended.",
      example: "//truenas/backups",
    }),
    domain: z.string().min(1).optional().meta({
      description: "Name shared by places that fail together; such places count once before a delete.",
      example: "server-room-1",
    }),
    durability: z.enum(["flushed", "cached"]).default("flushed").meta({
      description:
        "Whether a file counts as written only after it was flushed to the medium; `cached` is for measurements.",
    }),
  }),
  example: `[[stage]]\nuse  = "copy"\nid   = "truenas"\nwith = { to = "\${paths.truenas_root}" }\n`,
  places: (options, id) => [{
    kind: "directory",
    id,
    root: options.to,
    domain: options.domain,
    durability: options.durability,
  }],
  facts: (options, id) => ({
    gives: [
      { fact: "hashed" },
      { fact: "written", place: id, strength: options.durability === "flushed" ? "strong" : "weak" },
    ],
  }),
  open() {
    return {
      async *plan(_item, ctx) {
        const place = ctx.place(ctx.stage);
        const held = { files: 0, bytes: 0 };
        const onHeld = (file: SourceFile) => {
          held.files++;
          held.bytes += file.size;
        };
        for await (const batch of place.batches(place.missing(ctx.source.files(ctx.stage), onHeld))) {
          yield {
            kind: "todo",
            id: batch.id,
            summary: `copy ${batch.summary} to ${ctx.stage}`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
        if (held.files > 0) {
          yield { kind: "skip", why: `already at ${ctx.stage}, unchanged since they were written`, ...held };
        }
      },
      apply: (step, ctx) => ctx.place(ctx.stage).write(step.files ?? []),
    };
  },
});
