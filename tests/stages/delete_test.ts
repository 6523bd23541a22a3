import assert from "node:assert/strict";
import { SOURCE_ROOT } from "../../testing/world.ts";
import {
  assertDone,
  COPY,
  FILES,
  itemOf,
  LOCK,
  pipelineOf,
  RECORD,
  S3,
  SIDECAR,
  STUDY,
  studyWorld,
  VERIFY,
} from "./_stage_world.ts";

const DELETE = `[[stage]]\nuse = "delete"\nwith = { require = { places = 2 } }\n`;
const LOCAL = [LOCK, COPY, VERIFY, SIDECAR];

Deno.test("delete.apply() frees the study, its folder and its lock, and records both ends", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: pipelineOf(...LOCAL, S3, RECORD, DELETE) }));
  assert.equal(await world.fs.lstat(`${SOURCE_ROOT}/${STUDY}`), undefined);
  const record = (await world.ledger()).get(STUDY);
  assert.ok(record?.source_deleting_at && record.source_deleted_at);
});

Deno.test("delete.apply() removes nothing while fewer places than required hold the files", async () => {
  await using world = await studyWorld();
  const report = await world.run({ pipeline: pipelineOf(...LOCAL, RECORD, DELETE), unlinted: true });
  assert.equal(itemOf(report).error?.code, "destroy/not-proved");
  assert.deepEqual(Object.values(world.files(SOURCE_ROOT)).sort(), Object.values(FILES).sort());
  assert.equal((await world.ledger()).get(STUDY)?.source_deleting_at, null);
});

Deno.test("S6 delete.apply() with recheck hash finds a rewrite that no stat shows", async () => {
  await using world = await studyWorld();
  const path = `${SOURCE_ROOT}/${STUDY}/a.txt`;
  const stageFinished = (_item: string, stage: string) => {
    if (stage !== "record") return;
    world.fs.fault = ({ operation, path: at }) => operation === "read" && at === path ? { flipBit: 3 } : undefined;
  };
  const rechecked = DELETE.replace("{ require", `{ recheck = "hash", require`);
  const report = await world.run({
    pipeline: pipelineOf(...LOCAL, S3, RECORD, rechecked),
    progress: { stageFinished },
  });
  assert.equal(itemOf(report).error?.code, "destroy/not-proved");
  assert.ok(world.files(SOURCE_ROOT)[`${STUDY}/a.txt`]);
});
