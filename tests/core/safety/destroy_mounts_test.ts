import assert from "node:assert/strict";
import { NAS_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";
import { backedUp, cleanup, EVICT_ALL, onNas } from "../../kit/backups.ts";
import {
  assertDone,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

/** Takes a disk away right before a call, and leaves these empty folders in its place. */
function unmountBefore(world: World, call: { operation: string; path: string }, left: string): { isGone: boolean } {
  const so = { isGone: false };
  world.fs.fault = ({ operation, path }) => {
    if (so.isGone || operation !== call.operation || path !== call.path) return;
    so.isGone = true;
    world.fs.unmount("/nas");
    world.fs.seed({ [`${left}/`]: "" });
  };
  return so;
}

Deno.test("S1 a place that is unmounted while its copies are looked at loses no proof of them, and ends the run", async () => {
  await using world = await worldWith();
  let so = { isGone: false };
  const report = await runAndAfter(world, "record", () => {
    so = unmountBefore(world, { operation: "lstat", path: `${AT_NAS}/b.txt` }, NAS_ROOT);
  });
  world.fs.fault = undefined;
  assert.deepEqual([so.isGone, report.exit_code, report.error?.code], [true, 1, "place/changed"]);
  assertSourceWhole(world);
  world.fs.remount("/nas");
  const again = await world.run();
  assertDone(again);
  const copied = again.items[0].stages.find((stage) => stage.id === "truenas");
  assert.deepEqual([copied?.applied, copied?.skipped], [0, 3], "nothing is proved anew");
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S1 S4 the end of an eviction is not recorded where the last folder lay in place of an unmounted disk", async () => {
  await using world = await backedUp({ study1: FILES }, { config: EVICT_ALL });
  const so = unmountBefore(world, { operation: "removeEmptyDir", path: AT_NAS }, AT_NAS);
  const report = await cleanup(world);
  world.fs.fault = undefined;
  assert.deepEqual([so.isGone, report.exit_code, report.error?.code], [true, 1, "place/changed"]);
  assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at, null);
  world.fs.remount("/nas");
  assert.equal(world.fs.disk.lstat(AT_NAS)?.kind, "directory");
  await cleanup(world);
  assert.equal(world.fs.disk.lstat(AT_NAS), undefined);
  assert.deepEqual(onNas(world), []);
  assert.notEqual((await world.ledger()).get("study1")?.truenas_evicted_at, null);
});

Deno.test("S1 an instrument that is away for a moment while a destroy goes on: what seemed to be gone is removed later", async () => {
  await using world = await worldWith(manyFiles(30));
  await runAndBeforeRemoval(world, 10, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  let state: "there" | "away" | "back" = "there";
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "lstat") return;
    if (state === "there" && path === `${AT_SOURCE}/f00020`) {
      state = "away";
      world.fs.unmount("/instrument");
      world.fs.seed({ [`${AT_SOURCE}/`]: "" });
    } else if (state === "away" && path === `${AT_SOURCE}/f00029`) {
      state = "back";
      world.fs.remount("/instrument");
    }
  };
  const report = await world.run();
  world.fs.fault = undefined;
  assert.deepEqual([state, report.exit_code], ["back", 1]);
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});
