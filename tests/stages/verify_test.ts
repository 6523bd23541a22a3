import assert from "node:assert/strict";
import { NAS_ROOT } from "../../testing/world.ts";
import { assertDone, COPY, itemOf, LOCK, pipelineOf, S3, stageOf, STUDY, studyWorld, VERIFY } from "./_stage_world.ts";

const PIPELINE = pipelineOf(LOCK, COPY, VERIFY);

Deno.test("verify.apply() reads every file back and says how strongly", async () => {
  await using world = await studyWorld();
  const report = await world.run({ pipeline: PIPELINE });
  assertDone(report);
  assert.deepEqual([stageOf(report, "verify").files, stageOf(report, "verify").guarantee], [3, "read-back"]);
});

Deno.test("verify.plan() does not read again what is proved, and does with --force", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.equal(stageOf(await world.run({ pipeline: PIPELINE }), "verify").files, 0);
  assert.equal(stageOf(await world.run({ pipeline: PIPELINE, force: "verify" }), "verify").files, 3);
});

Deno.test("verify.apply() fails the item when a byte at the place is another", async () => {
  await using world = await studyWorld();
  const stageFinished = (_item: string, stage: string) => {
    if (stage === "truenas") world.fs.seed({ [`${NAS_ROOT}/${STUDY}/a.txt`]: "alphA" });
  };
  const report = await world.run({ pipeline: PIPELINE, progress: { stageFinished } });
  assert.equal(report.exit_code, 1);
  assert.equal(itemOf(report).error?.code, "verify/mismatch");
});

Deno.test("S14 verify.apply() fails the item when a proved file is no longer listed at the place", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  const stageFinished = (_item: string, stage: string) => {
    if (stage === "truenas") world.fs.disk.removeFile(`${NAS_ROOT}/${STUDY}/a.txt`);
  };
  const report = await world.run({ pipeline: PIPELINE, progress: { stageFinished } });
  assert.equal(itemOf(report).error?.code, "verify/missing");
});

Deno.test("verify.apply() reads back objects that only the store vouched for", async () => {
  await using world = await studyWorld();
  const pipeline = pipelineOf(LOCK, S3, '[[stage]]\nuse = "verify"\nwith = { place = "s3" }\n');
  world.store.hooks = {
    store: ({ key }, bytes) => key.endsWith("/a.txt") ? bytes.map((byte) => byte ^ 1) : bytes,
  };
  assert.equal(itemOf(await world.run({ pipeline })).error?.code, "s3/mismatch");
  world.store.hooks = {};
  world.store.objects.delete(`fusion/${STUDY}/a.txt`);
  assertDone(await world.run({ pipeline }));
  assert.equal(stageOf(await world.run({ pipeline }), "verify").files, 0, "what was read is not read again");
});
