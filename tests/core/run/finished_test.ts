import assert from "node:assert/strict";
import { BACKUP, World } from "../../../testing/world.ts";
import { freeingStage } from "../../kit/own_stage.ts";

Deno.test("S4 a stage that begins a destroy and does not close it fails its item, and the next run goes on", async () => {
  let finishes = false;
  const rules = { place: "source", places: 2, recheck: "identity" } as const;
  const plugin = freeingStage(rules, { ends: () => finishes });
  await using world = await World.open({ plugins: [plugin] });
  world.study("study1", { "a.txt": "alpha" });
  const pipeline = BACKUP.replace(/use\s*= "delete"\nwith.*/, 'use = "own"');
  const { items, exit_code } = await world.run({ pipeline });
  assert.deepEqual([items[0].outcome, items[0].error?.code, exit_code], ["failed", "stage/not-finished", 1]);
  assert.match(items[0].error?.message ?? "", /stage "own": it began to free "study1" and did not finish/);
  finishes = true;
  const next = await world.run({ pipeline });
  assert.deepEqual([next.items[0].outcome, next.exit_code], ["done", 0], JSON.stringify(next.items[0].error));
});
