import assert from "node:assert/strict";
import { MANIFEST_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

Deno.test("S1 runPipeline() records nothing in the empty folder that an unmounted ledger leaves, and removes nothing", async () => {
  for (const stage of ["lock", "truenas", "s3", "record", "delete"]) {
    await using world = await World.open();
    world.study("study1", { "a.txt": "alpha" });
    const report = await world.run({
      progress: {
        stageStarted: (_item, id) => {
          if (id !== stage) return;
          world.fs.unmount("/manifests");
          world.fs.seed({ [`${MANIFEST_ROOT}/`]: "" });
        },
      },
    });
    assert.equal(report.exit_code, 1, stage);
    assert.deepEqual(Object.keys(world.fs.tree(SOURCE_ROOT)).filter((path) => path.endsWith("a.txt")).length, 1, stage);
    assert.deepEqual(Object.keys(world.fs.tree("/manifests")), [`${MANIFEST_ROOT}/`], stage);
    world.fs.remount("/manifests");
    const again = await world.run();
    assert.equal(again.exit_code, 0, `${stage}: ${again.error?.message} ${again.items[0]?.error?.message}`);
    assert.deepEqual(world.files(SOURCE_ROOT), {}, stage);
  }
});

Deno.test("S18 runPipeline() does not report a study as freed when the ledger is away as the removal ends", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "syncDir" || path !== SOURCE_ROOT) return;
    world.fs.fault = undefined;
    world.fs.unmount("/manifests");
    world.fs.seed({ [`${MANIFEST_ROOT}/`]: "" });
  };
  const report = await world.run();
  assert.equal(report.exit_code, 1);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  world.fs.remount("/manifests");
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  assert.equal((await world.run()).exit_code, 0);
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});
