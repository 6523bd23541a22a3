import assert from "node:assert/strict";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  AT_NAS,
  AT_SOURCE,
  FILES,
  runAndAfter,
  runAndBeforeRemoval,
} from "../../kit/rules.ts";

async function worldWithFolders(): Promise<World> {
  const world = await World.open();
  world.study("study1", { ...FILES, "Plan/Day1/": "", "Plan/Day2/": "" });
  return world;
}

function has(world: World, path: string): boolean {
  return world.fs.disk.lstat(path)?.kind === "directory";
}

Deno.test("S20 empty folders go with their study when a place has them", async () => {
  await using world = await worldWithFolders();
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.ok(has(world, `${AT_NAS}/Plan/Day1`) && has(world, `${AT_NAS}/Plan/Day2`));
});

Deno.test("S20 an empty folder that is made after the copy is not recorded, nor removed, before it is copied too", async () => {
  for (const stage of ["truenas", "s3", "record"]) {
    await using world = await worldWithFolders();
    const report = await runAndAfter(world, stage, () => world.study("study1", { "Late/": "" }));
    assertFailed(report, stage === "record" ? "destroy/source-changed" : "item/source-changed");
    assert.match(report.items[0].error?.message ?? "", /1 empty folders added \(Late\)/, stage);
    assert.ok(has(world, `${AT_SOURCE}/Late`), stage);
    const record = (await world.ledger()).get("study1");
    assert.equal(record?.status === "complete", stage === "record");
    assert.equal(record?.source_deleting_at, null);
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {}, stage);
    assert.ok(has(world, `${AT_NAS}/Late`), stage);
  }
});

Deno.test("S20 an empty folder that is made while files are removed stays, and is named", async () => {
  await using world = await worldWithFolders();
  const report = await runAndBeforeRemoval(world, 2, () => world.study("study1", { "Scan1/Late/": "" }));
  assertFailed(report, "destroy/left-over");
  assert.match(report.items[0].error?.message ?? "", /1 empty folders no place has \(Scan1\/Late\)/);
  assert.ok(has(world, `${AT_SOURCE}/Scan1/Late`));
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  world.fs.disk.removeEmptyDir(`${AT_SOURCE}/Scan1/Late`);
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S22 a crash among the empty folders leaves nothing that the next run could not remove", async () => {
  for (let nth = 1; nth <= 4; nth++) {
    await using world = await worldWithFolders();
    let removals = 0;
    world.fs.fault = ({ operation, path }) => {
      if (operation === "removeEmptyDir" && path.startsWith(`${AT_SOURCE}/`) && ++removals === nth) world.fs.crash();
    };
    await world.run().catch(() => {});
    world.fs.fault = undefined;
    world.fs.restart();
    assert.ok(removals >= nth);
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});
