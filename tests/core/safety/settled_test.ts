import assert from "node:assert/strict";
import { BACKUP, SOURCE_ROOT, type World } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_SOURCE,
  everything,
  FILES,
  rewrite,
  worldWith,
} from "../../kit/rules.ts";

const HOUR = 3_600_000;

/** Runs, and does something between the listing of the study and its lock. */
function runAndBeforeLock(world: World, act: () => void) {
  return world.run({ progress: { itemStarted: () => act() } });
}

Deno.test("S13 a study that changes between its listing and its lock is not archived in this run", async () => {
  const changes: Record<string, (world: World) => void> = {
    added: (world) => world.study("study1", { "late.txt": "late" }),
    removed: (world) => world.fs.disk.removeFile(`${AT_SOURCE}/a.txt`),
    changed: (world) => rewrite(world, `${AT_SOURCE}/a.txt`, "changed"),
    "changed keeping size and time": (world) => {
      const { mtimeMs } = world.fs.disk.lstat(`${AT_SOURCE}/a.txt`)!;
      rewrite(world, `${AT_SOURCE}/a.txt`, "ALPHA", mtimeMs ?? undefined);
    },
    "a folder in place of another": (world) => {
      world.clock.time += 2_000;
      world.fs.disk.rename(`${AT_SOURCE}/Scan1`, `${SOURCE_ROOT}/.labferry-aside`);
      world.fs.disk.rename(`${SOURCE_ROOT}/.labferry-aside`, `${AT_SOURCE}/Scan1`);
    },
    "a new folder": (world) => world.fs.seed({ [`${AT_SOURCE}/Scan2/`]: "" }),
  };
  for (const [what, change] of Object.entries(changes)) {
    await using world = await worldWith();
    assertFailed(await runAndBeforeLock(world, () => change(world)), "item/not-settled");
    assert.deepEqual(world.objects(), {}, what);
    assert.equal(world.fs.disk.lstat(`${AT_SOURCE}/.labferry.lock`), undefined, what);
    world.clock.time += HOUR;
    assertDone(await world.run({ pipeline: BACKUP.replace(`"\${backup.idle_days}d"`, `"0s"`) }));
    assert.deepEqual(world.files(SOURCE_ROOT), {}, what);
  }
});

Deno.test("S13 what is not idle, not settled or stamped in the future is left alone", async () => {
  const studies: Record<string, (world: World) => void> = {
    "written yesterday": (world) => world.study("study1", FILES, 1),
    "from the future": (world) => world.study("study1", FILES, -1),
    "restored a minute ago": (world) => {
      world.study("study1", FILES, 0);
      for (const path of Object.keys(FILES)) {
        world.fs.disk.setMtime(`${AT_SOURCE}/${path}`, world.clock.now() - 30 * 24 * HOUR);
      }
      world.clock.time += 60_000;
    },
    "a folder moved in a minute ago": (world) => {
      world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
      world.study("elsewhere", { "c.bin": "gamma" });
      world.fs.disk.rename(`${SOURCE_ROOT}/elsewhere`, `${AT_SOURCE}/Scan1`);
      world.clock.time += 60_000;
    },
  };
  for (const [what, place] of Object.entries(studies)) {
    await using world = await worldWith({});
    place(world);
    const before = everything(world);
    const report = await world.run();
    assertDone(report);
    assert.deepEqual(report.items, [], what);
    assert.deepEqual(everything(world), before, what);
    assertSourceWhole(world);
  }
});
