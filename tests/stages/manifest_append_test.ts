import assert from "node:assert/strict";
import {
  assertDone,
  COPY,
  FAILED,
  LOCK,
  pipelineOf,
  RECORD,
  SIDECAR,
  stageOf,
  STUDY,
  studyWorld,
  VERIFY,
} from "./_stage_world.ts";

const BEGIN = `[[stage]]\nuse = "manifest-append"\nid = "begin"\nwith = { status = "in_progress" }\n`;
const PIPELINE = pipelineOf(LOCK, BEGIN, COPY, VERIFY, SIDECAR, RECORD, FAILED);

Deno.test("manifest-append.apply() records complete with counts, place, guarantee and seal", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  const record = (await world.ledger()).get(STUDY);
  assert.deepEqual([record?.status, record?.file_count, record?.total_bytes], ["complete", 3, 9]);
  assert.equal(record?.places.truenas.guarantee, "read-back");
  assert.match(record?.sidecar_sha256 ?? "", /^[0-9a-f]{64}$/);
});

Deno.test("S4 manifest-append.plan() records nothing over complete", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  const again = await world.run({ pipeline: PIPELINE });
  assertDone(again);
  assert.equal(stageOf(again, "begin").outcome, "skipped");
  assert.equal((await world.ledger()).get(STUDY)?.status, "complete");
});

Deno.test("manifest-append.apply() names the place of the stage that failed", async () => {
  await using world = await studyWorld();
  world.fs.seed({ [`/nas/backups/${STUDY}/a.txt`]: "other" });
  assert.equal((await world.run({ pipeline: PIPELINE })).exit_code, 1);
  const record = (await world.ledger()).get(STUDY);
  assert.equal(record?.status, "failed_truenas");
  assert.match(record?.error ?? "", /^copy\/conflict: /);
});

Deno.test("manifest-append.apply() refuses complete where a place is not proved, whatever lint was told", async () => {
  await using world = await studyWorld();
  const report = await world.run({ pipeline: pipelineOf(LOCK, COPY, RECORD), unlinted: true });
  assert.equal(report.items[0]?.error?.code, "record/not-proved");
  assert.equal((await world.ledger()).get(STUDY), undefined);
});
