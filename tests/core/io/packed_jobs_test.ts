import assert from "node:assert/strict";
import fc from "fast-check";
import type { FileStat, SmallFailure, SmallJob, SmallJobResult } from "../../../core/io/file_system.ts";
import { packAnswer, packJob, unpackAnswer, unpackJob } from "../../../core/io/packed_jobs.ts";

const time = fc.option(fc.maxSafeInteger());
const stat: fc.Arbitrary<FileStat> = fc.record({
  kind: fc.constantFrom("file", "directory", "symlink", "other"),
  dev: time,
  ino: time,
  size: fc.maxSafeNat(),
  mtimeMs: fc.option(fc.double({ noNaN: true })),
  ctimeMs: time,
  birthtimeMs: time,
});
const failure: fc.Arbitrary<SmallFailure> = fc.record({
  ok: fc.constant(false as const),
  code: fc.string(),
  message: fc.string(),
}, { requiredKeys: ["ok", "code", "message"] });
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
const medium = fc.constantFrom("direct" as const, "dropped-cache" as const, "cached" as const);
const ok = fc.constant(true as const);
const path = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\0"));
const copy = fc.record({ from: path, to: path, temporary: path, size: fc.maxSafeNat() });

const answer: fc.Arbitrary<SmallJobResult> = fc.oneof(
  fc.constant({}),
  fc.record({ stats: fc.array(fc.option(stat, { nil: undefined })) }),
  fc.record({
    files: fc.array(fc.oneof(
      failure,
      fc.record({ ok, sha256, after: stat, medium }),
      fc.record({ ok, sha256, after: stat, medium, target: stat, existed: fc.boolean() }),
    )),
  }),
  fc.record({ published: fc.array(fc.oneof(failure, fc.record({ ok, target: stat, existed: fc.boolean() }))) }),
);
const flush = fc.boolean();
const job: fc.Arbitrary<SmallJob> = fc.oneof(
  fc.record({ kind: fc.constant("stat" as const), folder: path, names: fc.array(path) }),
  fc.record({
    kind: fc.constant("hash" as const),
    files: fc.array(fc.record({ path, size: fc.maxSafeNat() })),
    fresh: flush,
  }),
  fc.record({ kind: fc.constant("write" as const), files: fc.array(copy), barrierDev: time, flush }),
  fc.record({
    kind: fc.constant("publish" as const),
    files: fc.array(fc.tuple(copy, sha256).map(([file, sha256]) => ({ ...file, sha256 }))),
    flush,
  }),
  fc.record({ kind: fc.constant("sync-files" as const), paths: fc.array(path) }),
  fc.record({ kind: fc.constant("sync-folders" as const), folders: fc.array(path) }),
);

Deno.test("unpackAnswer() gives back what packAnswer() packed, through a thread's copy", () => {
  fc.assert(fc.property(answer, (result) => {
    assert.deepEqual(unpackAnswer(structuredClone(packAnswer(result))), structuredClone(result));
  }));
});

Deno.test("unpackJob() gives back what packJob() packed, through a thread's copy", () => {
  fc.assert(fc.property(job, (wanted) => {
    assert.deepEqual(unpackJob(structuredClone(packJob(wanted))), structuredClone(wanted));
  }));
});
