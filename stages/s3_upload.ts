/** Stage `s3-upload`: uploads the item to a bucket with per-part checksums, and proves it there. @module */
import { defineStage, LARGEST_PART_BYTES } from "../core/contract.ts";
import type { SourceFile } from "../core/contract.ts";
import { byteSize, keyPrefix, pathOption, z } from "../core/options.ts";
import { s3Place } from "./_s3_place.ts";

export const s3Upload = defineStage({
  kind: "stage",
  name: "s3-upload",
  summary: "Uploads the study to an S3 bucket with a SHA-256 per part, and proves every object.",
  takes: "tree",
  effect: "create",
  resume: "redo",
  parallel: 4,
  options: z.strictObject({
    bucket: z.string().min(1).meta({ description: "Bucket to upload to; it must exist.", example: "lab-archive" }),
    prefix: keyPrefix().default("").meta({
      description: "Key prefix; the study's name is appended.",
      example: "fusion",
    }),
    verify: z.enum(["auto", "read-back", "none"]).default("auto").meta({
      description:
        "`auto` trusts checksums of stores that were seen to refuse a wrong one and reads back from the others.",
    }),
    part: byteSize({ most: LARGEST_PART_BYTES }).prefault("8 MiB").meta({
      description: "Size of one part, at most 64 MiB; smaller files go in a single request.",
      unit: "bytes",
    }),
    transfers: z.number().int().min(1).max(64).default(8).meta({ description: "How many requests run at a time." }),
    region: z.string().optional().meta({ description: "Region; default: s3.region of the config." }),
    endpoint: z.string().optional().meta({ description: "Endpoint URL; default: s3.endpoint of the config." }),
    force_path_style: z.boolean().optional().meta({
      description: "Bucket in the path; default: s3.force_path_style of the config.",
    }),
    storage_class: z.string().optional().meta({
      description: "Storage class; default: s3.storage_class of the config.",
    }),
    ca_file: pathOption().optional().meta({
      description: "PEM file of a private certificate authority; default: s3.ca_file of the config.",
    }),
    domain: z.string().min(1).optional().meta({
      description: "Name shared by places that fail together; such places count once before a delete.",
    }),
  }),
  example:
    `[[stage]]\nuse  = "s3-upload"\nid   = "s3"\nwith = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}", verify = "auto" }\n`,
  places: (options, id, config) => [s3Place(options, id, config)],
  facts: (options, id) => ({
    gives: [
      { fact: "hashed" },
      { fact: "written", place: id },
      { fact: "proved", place: id, strength: options.verify === "none" ? "none" : "strong" },
      // The sidecar goes up with the study; without proofs there is none.
      ...(options.verify === "none" ? [] : [{ fact: "sealed" as const, place: id }]),
    ],
  }),
  open(options) {
    return {
      async *plan(_item, ctx) {
        const place = ctx.place(ctx.stage);
        const held = { files: 0, bytes: 0 };
        let todo = false;
        const onHeld = (file: SourceFile) => {
          held.files++;
          held.bytes += file.size;
        };
        for await (const batch of place.batches(place.missing(ctx.source.files(ctx.stage), onHeld))) {
          todo = true;
          yield {
            kind: "todo",
            id: batch.id,
            summary: `upload ${batch.summary} to ${ctx.stage}`,
            files: batch.files,
            bytes: batch.bytes,
            data: null,
          };
        }
        if (held.files > 0) yield { kind: "skip", why: `already at ${ctx.stage}, proved, unchanged since`, ...held };
        // A sidecar names what is proved; without a proof there is none to upload.
        if (options.verify !== "none" && (todo || ctx.force || !await place.isSealed())) {
          yield {
            kind: "todo",
            id: "seal",
            alone: true,
            summary: `upload the checksum sidecar to ${ctx.stage}`,
            data: null,
          };
        }
      },
      async apply(step, ctx) {
        const place = ctx.place(ctx.stage);
        if (step.files === undefined) await place.seal();
        else await place.write(step.files);
      },
    };
  },
});
