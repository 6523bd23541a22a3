import assert from "node:assert/strict";
import { copy } from "../../stages/copy.ts";
import { NAS_ROOT, SOURCE_ROOT } from "../../testing/world.ts";
import { assertDone, COPY, FILES, itemOf, LOCK, pipelineOf, stageOf, STUDY, studyWorld } from "./_stage_world.ts";

const DAY = 86_400_000;
const PIPELINE = pipelineOf(LOCK, COPY);

Deno.test("copy.apply() copies every file with its time, and makes empty folders", async () => {
  await using world = await studyWorld();
  await world.fs.mkdir(`${SOURCE_ROOT}/${STUDY}/nothing in it`);
  world.clock.time += DAY;
  assertDone(await world.run({ pipeline: PIPELINE }));
  const copied = world.files(NAS_ROOT);
  for (const [path, content] of Object.entries(FILES)) assert.equal(copied[`${STUDY}/${path}`], content);
  assert.equal((await world.fs.lstat(`${NAS_ROOT}/${STUDY}/nothing in it`))?.kind, "directory");
  const [from, to] = await Promise.all(
    [SOURCE_ROOT, NAS_ROOT].map((root) => world.fs.lstat(`${root}/${STUDY}/a.txt`)),
  );
  assert.equal(to?.mtimeMs, from?.mtimeMs);
});

Deno.test("copy.plan() skips what an earlier run wrote and nobody touched since", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  const again = await world.run({ pipeline: PIPELINE });
  assert.deepEqual([stageOf(again, "truenas").applied, stageOf(again, "truenas").skipped], [0, 3]);
  assert.equal(itemOf(again).outcome, "unchanged");
});

Deno.test("copy.plan() writes again what vanished from the place", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  world.fs.disk.removeFile(`${NAS_ROOT}/${STUDY}/a.txt`);
  const again = await world.run({ pipeline: PIPELINE });
  assert.equal(stageOf(again, "truenas").files, 1);
  assert.equal(world.files(NAS_ROOT)[`${STUDY}/a.txt`], "alpha");
});

Deno.test("S7 copy.apply() refuses other bytes under a final name and replaces nothing", async () => {
  await using world = await studyWorld();
  world.fs.seed({ [`${NAS_ROOT}/${STUDY}/a.txt`]: "other" });
  const report = await world.run({ pipeline: PIPELINE });
  assert.equal(report.exit_code, 1);
  assert.equal(itemOf(report).error?.code, "copy/conflict");
  assert.equal(world.files(NAS_ROOT)[`${STUDY}/a.txt`], "other");
});

Deno.test("copy.facts() gives bytes that were not flushed as weakly written", () => {
  const facts = (durability: "flushed" | "cached") =>
    copy.facts?.({ to: "/nas", domain: undefined, durability }, "nas");
  assert.deepEqual(facts("cached")?.gives?.[1], { fact: "written", place: "nas", strength: "weak" });
  assert.deepEqual(facts("flushed")?.gives?.[1], { fact: "written", place: "nas", strength: "strong" });
});
