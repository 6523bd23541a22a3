import assert from "node:assert/strict";
import { isFolderGone } from "../../../core/run/gone_folder.ts";
import { CrashError } from "../../../testing/memory_types.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { backedUp, cleanup, EVICT_ALL, studyOf } from "../../kit/backups.ts";
import { assertDone } from "../../kit/rules.ts";

/** Paths of the files of a study below a root. */
function filesOf(world: World, root: string, name: string): string[] {
  return Object.keys(world.files(root)).filter((path) => path.startsWith(`${name}/`) && !path.includes(".labferry"));
}

/** Makes the process die at the second file that is removed below a folder. */
function dieWithin(world: World, folder: string): void {
  let removed = 0;
  world.fs.fault = ({ operation, path }) => {
    const isStudys = path.startsWith(`${folder}/`) && !path.includes(".labferry");
    if (operation === "removeFile" && isStudys && ++removed > 1) throw new CrashError();
  };
}

/** Takes a mount away for the `nth` call that looks at something below `folder`, and no longer. Ends with `back`. */
function awayForCall(world: World, { mount, folder }: { mount: string; folder: string }, nth: number) {
  let seen = 0;
  let away = false;
  const comeBack = () => {
    if (away) world.fs.remount(mount);
    away = false;
  };
  world.fs.fault = ({ path }) => {
    comeBack();
    away = path.startsWith(folder) && ++seen === nth;
    if (away) world.fs.unmount(mount);
  };
  return {
    back() {
      world.fs.fault = undefined;
      comeBack();
    },
  };
}

Deno.test("S18 isFolderGone() takes a share that is away for a moment for nothing but away", async () => {
  await using world = await World.open({});
  world.study("a", studyOf(10));
  const root = { path: SOURCE_ROOT, uuid: "", check: () => Promise.resolve() };
  assert.equal(await isFolderGone(world.fs, root, "a"), false);
  assert.equal(await isFolderGone(world.fs, root, "b"), true);
  for (let call = 1; call <= 3; call++) {
    const fault = awayForCall(world, { mount: "/instrument", folder: SOURCE_ROOT }, call);
    const gone = await isFolderGone(world.fs, root, "a").catch(() => false);
    fault.back();
    assert.equal(gone, false, `away at call ${call}`);
  }
});

Deno.test("S22 an eviction is closed only when its folder is gone, wherever the NAS is away for one call", async () => {
  for (let call = 1; call <= 60; call++) {
    await using world = await backedUp({ a: studyOf(100) }, { config: EVICT_ALL });
    dieWithin(world, `${NAS_ROOT}/a`);
    await cleanup(world).catch(() => {});
    world.fs.fault = undefined;
    world.fs.restart();
    const fault = awayForCall(world, { mount: "/nas", folder: NAS_ROOT }, call);
    await cleanup(world).catch(() => {});
    fault.back();
    const ended = (await world.ledger()).get("a")?.truenas_evicted_at ?? null;
    const left = filesOf(world, NAS_ROOT, "a");
    if (ended !== null) assert.deepEqual(left, [], `away at call ${call}`);
    world.clock.time += 60_000;
    await cleanup(world).catch(() => {});
    assert.deepEqual(filesOf(world, NAS_ROOT, "a"), [], `away at call ${call}, then again`);
    assert.notEqual((await world.ledger()).get("a")?.truenas_evicted_at, null, `away at call ${call}, then again`);
  }
});

Deno.test("S22 a removal is closed only when the study is gone, wherever the instrument is away for one call", async () => {
  for (let call = 1; call <= 40; call++) {
    await using world = await World.open({});
    world.study("a", studyOf(100));
    dieWithin(world, `${SOURCE_ROOT}/a`);
    await world.run().catch(() => {});
    world.fs.fault = undefined;
    world.fs.restart();
    world.clock.time += 60_000;
    const fault = awayForCall(world, { mount: "/instrument", folder: SOURCE_ROOT }, call);
    await world.run().catch(() => {});
    fault.back();
    const left = filesOf(world, SOURCE_ROOT, "a");
    if ((await world.ledger()).get("a")?.source_deleted_at) assert.deepEqual(left, [], `away at call ${call}`);
    world.clock.time += 60_000;
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {}, `away at call ${call}, then again`);
  }
});
