import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { NAS_ROOT } from "../../testing/world.ts";
import {
  assertDone,
  COPY,
  FILES,
  LOCK,
  pipelineOf,
  SIDECAR,
  stageOf,
  STUDY,
  studyWorld,
  VERIFY,
} from "./_stage_world.ts";

const PIPELINE = pipelineOf(LOCK, COPY, VERIFY, SIDECAR);
const PATH = `${NAS_ROOT}/${STUDY}/_checksums.sha256`;

function expected(files: Record<string, string>): string {
  const lines = Object.entries(files).map(([path, text]) =>
    `${createHash("sha256").update(text).digest("hex")}  ${path}\n`
  );
  return lines.sort((a, b) => a.slice(66) < b.slice(66) ? -1 : 1).join("");
}

Deno.test("checksum-sidecar.apply() writes one line a file, sorted by bytes", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.equal(await world.fs.readText(PATH), expected(FILES));
});

Deno.test("checksum-sidecar.plan() skips a sidecar that equals the evidence", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  const again = stageOf(await world.run({ pipeline: PIPELINE }), "checksum-sidecar");
  assert.deepEqual([again.outcome, again.applied], ["skipped", 0]);
});

Deno.test("checksum-sidecar.apply() replaces the sidecar of an attempt that was never recorded", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  world.study(STUDY, { "late.txt": "late" });
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.equal(await world.fs.readText(PATH), expected({ ...FILES, "late.txt": "late" }));
});
