import assert from "node:assert/strict";
import { BACKUP, NAS_ROOT, SOURCE_ROOT, World } from "../../kit/world.ts";

Deno.test("S13 lock() asks at every attempt whether the study is settled", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  const retried = BACKUP.replace(`use = "lock"`, `use = "lock"\nretry = { attempts = 3, first = "1s" }`);
  const report = await world.run({
    pipeline: retried,
    progress: {
      stageStarted: (_item, id) => {
        if (id === "lock") world.study("study1", { "late.txt": "late" }, 20);
      },
    },
  });
  assert.equal(report.items[0].error?.code, "item/not-settled");
  assert.equal(world.clock.slept.filter((ms) => ms >= 1000).length, 2);
  assert.deepEqual(world.files(NAS_ROOT), {});
  assert.equal(world.fs.disk.lstat(`${SOURCE_ROOT}/study1/.labferry.lock`), undefined);
});
