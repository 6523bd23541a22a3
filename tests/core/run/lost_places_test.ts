import assert from "node:assert/strict";
import { failure } from "../../../testing/memory_object_store.ts";
import { systemError } from "../../../testing/memory_types.ts";
import { NAS_ROOT, World } from "../../../testing/world.ts";
import { backedUp, cleanup, EVICT_ALL, onNas, type Study, studyOf } from "../../kit/backups.ts";

const NAMES = Array.from({ length: 20 }, (_, i) => `study${100 + i}`);
const STUDIES: Record<string, Study> = Object.fromEntries(NAMES.map((name) => [name, studyOf(100)]));
const IMAGE_OF_2ND = "fusion/study101/Scan1/image.bin";

Deno.test("S19 runPipeline() stops at once when the store is lost in the middle of a cleanup, and lets its lock go", async () => {
  for (const kind of ["unreachable", "throttled", "denied"] as const) {
    await using world = await backedUp(STUDIES, { config: EVICT_ALL });
    let isAway = false;
    world.store.hooks.before = ({ key }) => {
      isAway ||= key === IMAGE_OF_2ND;
      if (isAway) throw failure(kind);
    };
    const before = world.clock.time;
    const report = await cleanup(world);
    assert.equal(report.exit_code, 1);
    assert.equal(report.error?.code, "run/place-lost");
    assert.match(report.error?.message ?? "", /^Cannot go on: s3 \(.*\) is lost midway: Cannot reach "s3:\/\/archive"/);
    assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [
      ["study100", "done"],
      ["study101", "failed"],
    ]);
    assert.equal(report.items[1].error?.code, `s3/${kind}`);
    assert.ok(world.clock.time - before < 4 * 60_000, `${kind}: ${(world.clock.time - before) / 1000} s`);
    assert.equal(onNas(world).length, 19);
    assert.equal(Object.keys(world.fs.tree(NAS_ROOT)).find((path) => path.endsWith(".lock")), undefined);
    world.store.hooks = {};
    await cleanup(world);
    assert.deepEqual(onNas(world), []);
  }
});

Deno.test("S19 runPipeline() goes on when the store fails for one object only", async () => {
  await using world = await backedUp(STUDIES, { config: EVICT_ALL });
  world.store.hooks.before = ({ key }) => {
    if (key === IMAGE_OF_2ND) throw failure("unreachable");
  };
  const report = await cleanup(world);
  assert.deepEqual(report.items.filter(({ outcome }) => outcome !== "done").map(({ name }) => name), ["study101"]);
  assert.equal(report.error?.code, "cleanup/not-enough");
  assert.deepEqual(onNas(world), ["study101"]);
});

Deno.test("S19 runPipeline() stops at once when the NAS is lost in the middle of a cleanup", async () => {
  await using world = await backedUp(STUDIES, { config: EVICT_ALL });
  let isAway = false;
  world.fs.fault = ({ operation, path }) => {
    isAway ||= operation === "removeFile" && path.startsWith(`${NAS_ROOT}/study101/`);
    if (isAway && path.startsWith("/nas")) throw systemError("EHOSTDOWN", path);
  };
  const report = await cleanup(world);
  assert.deepEqual([report.exit_code, report.error?.code], [1, "run/place-lost"]);
  assert.match(report.error?.message ?? "", /^Cannot go on: truenas \(\/nas\/backups\) is lost midway: /);
  assert.deepEqual(report.items.map(({ name }) => name), ["study100", "study101"]);
});

Deno.test("S19 runPipeline() stops at once when the store is lost in the middle of a backup, and the next run goes on", async () => {
  await using world = await World.open();
  for (const [name, files] of Object.entries(STUDIES)) world.study(name, files);
  let isAway = false;
  world.store.hooks.before = ({ key }) => {
    isAway ||= key === IMAGE_OF_2ND;
    if (isAway) throw failure("unreachable");
  };
  const before = world.clock.time;
  const report = await world.run();
  assert.deepEqual([report.exit_code, report.error?.code], [1, "run/place-lost"]);
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [
    ["study100", "done"],
    ["study101", "failed"],
  ]);
  assert.ok(world.clock.time - before < 4 * 60_000, `${(world.clock.time - before) / 1000} s`);
  world.store.hooks = {};
  assert.equal((await world.run()).exit_code, 0);
});

Deno.test("S1 a NAS that goes away while a file is copied ends the run with 1, and the error says which side is gone", async () => {
  await using world = await World.open();
  for (const name of ["study1", "study2"]) world.study(name, { "a.txt": "alpha" });
  let gone = false;
  world.fs.fault = ({ operation, path }) => {
    if (gone || operation !== "createNew" || !path.startsWith(`${NAS_ROOT}/study1`)) return;
    gone = true;
    world.fs.unmount("/nas");
  };
  const report = await world.run();
  assert.ok(gone);
  assert.equal(report.exit_code, 1);
  assert.equal(report.error?.code, "place/changed", JSON.stringify(report.error));
  assert.match(report.error?.message ?? "", new RegExp(NAS_ROOT));
  assert.deepEqual(report.items.map(({ name }) => name), ["study1"]);
});
