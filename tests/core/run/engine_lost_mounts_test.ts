import assert from "node:assert/strict";
import { MANIFEST_ROOT, SOURCE_ROOT, World } from "../../kit/world.ts";

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
