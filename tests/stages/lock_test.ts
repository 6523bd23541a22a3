import assert from "node:assert/strict";
import { NAS_ROOT, SOURCE_ROOT } from "../../testing/world.ts";
import { assertDone, COPY, itemOf, LOCK, pipelineOf, STUDY, studyWorld } from "./_stage_world.ts";

const PATH = `${SOURCE_ROOT}/${STUDY}/.labferry.lock`;

Deno.test("S10 lock.apply() holds .labferry.lock while the item runs and removes it after", async () => {
  await using world = await studyWorld();
  let seen = "";
  const stageFinished = (_item: string, stage: string) => {
    if (stage === "truenas") seen = new TextDecoder().decode(world.fs.bytes(PATH));
  };
  assertDone(await world.run({ pipeline: pipelineOf(LOCK, COPY), progress: { stageFinished } }));
  assert.equal(JSON.parse(seen).host, "instrument-1");
  assert.equal(await world.fs.lstat(PATH), undefined);
  assert.ok(!Object.keys(world.fs.tree(NAS_ROOT)).some((path) => path.includes(".labferry.lock")));
});

Deno.test("S10 lock.apply() leaves no lock behind an item that failed", async () => {
  await using world = await studyWorld();
  world.fs.seed({ [`${NAS_ROOT}/${STUDY}/a.txt`]: "other" });
  const report = await world.run({ pipeline: pipelineOf(LOCK, COPY) });
  assert.equal(itemOf(report).outcome, "failed");
  assert.equal(await world.fs.lstat(PATH), undefined);
});

Deno.test("S10 a lock another process holds stops the run with exit 1", async () => {
  await using world = await studyWorld();
  await using other = await world.fs.openReadWrite(PATH);
  assert.equal(await other.tryLock(), true);
  const report = await world.run({ pipeline: pipelineOf(LOCK, COPY) });
  assert.deepEqual([report.exit_code, report.error?.code], [1, "lock/held"]);
  assert.deepEqual(world.files(NAS_ROOT), {});
});
