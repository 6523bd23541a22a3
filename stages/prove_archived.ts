/** Stage `prove-archived`: proves that a bucket holds a whole backup, so that another copy of it may go. @module */
import { defineStage, LARGEST_PART_BYTES } from "../core/contract.ts";
import { byteSize, keyPrefix, pathOption, z } from "../core/options.ts";
import { s3Place } from "./_s3_place.ts";

export const proveArchived = defineStage({
  kind: "stage",
  name: "prove-archived",
  summary:
    "Proves every file of a complete backup at a bucket again, by the list of checksums that the ledger names; writes nothing there.",
  takes: "backup",
  effect: "read",
  resume: "redo",
  usesLedger: true,
  options: z.strictObject({
    bucket: z.string().min(1).meta({ description: "Bucket that keeps the backup.", example: "lab-archive" }),
    prefix: keyPrefix().default("").meta({
      description: "Key prefix; the backup's name is appended.",
      example: "fusion",
    }),
    verify: z.enum(["auto", "read-back"]).default("auto").meta({
      description:
        "`auto` takes the checksum of a store that was seen to refuse a wrong one, else reads back; `read-back` reads every object.",
    }),
    part: byteSize({ most: LARGEST_PART_BYTES }).prefault("8 MiB").meta({
      description:
        "Size of one part, at most 64 MiB, as `s3-upload` had it: an object in parts is then proved without reading it back.",
      unit: "bytes",
    }),
    transfers: z.number().int().min(1).max(64).default(8).meta({
      description: "How many objects are proved at a time.",
    }),
    region: z.string().optional().meta({ description: "Region; default: s3.region of the config." }),
    endpoint: z.string().optional().meta({ description: "Endpoint URL; default: s3.endpoint of the config." }),
    force_path_style: z.boolean().optional().meta({
      description: "Bucket in the path; default: s3.force_path_style of the config.",
    }),
    ca_file: pathOption().optional().meta({
      description: "PEM file of a private certificate authority; default: s3.ca_file of the config.",
    }),
    domain: z.string().min(1).optional().meta({
      description: "Name shared by places that fail together; such places count once before an eviction.",
    }),
  }),
  example:
    `[[stage]]\nuse  = "prove-archived"\nid   = "s3"\nwith = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}" }\n`,
  places: (options, id, config) => [s3Place(options, id, config)],
  facts: (_options, id) => ({
    gives: [
      { fact: "hashed" },
      { fact: "written", place: id },
      { fact: "proved", place: id, strength: "strong" },
      { fact: "sealed", place: id },
      { fact: "recorded" },
    ],
  }),
  open() {
    return {
      async *plan(_item, ctx) {
        for await (const batch of ctx.place(ctx.stage).archived()) {
          yield {
            kind: "todo",
            id: batch.id,
            summary: `prove ${batch.summary} at ${ctx.stage}`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
      },
      apply: (step, ctx) => ctx.place(ctx.stage).proveArchived(step.files ?? []),
    };
  },
});
