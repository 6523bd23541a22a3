import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { BACKUP, World } from "../../../testing/world.ts";

Deno.test("S4 a stage that begins a destroy and does not close it fails its item, and the next run goes on", async () => {
  let finishes = false;
  const rules = { place: "source", places: 2, recheck: "identity" } as const;
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Frees.",
    takes: "tree",
    effect: "destroy",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    facts: () => ({ destroys: { place: "source", places: 2 } }),
    open: () => ({
      async *plan(_item, ctx) {
        for await (const batch of ctx.destroyBatches("source")) {
          yield { kind: "todo", id: batch.id, summary: "free", files: batch.files, data: null };
        }
        if (finishes) yield { kind: "todo", id: "end", summary: "end", alone: true, data: null };
      },
      async apply({ id, files = [] }, ctx) {
        if (id === "end") await ctx.finishDestroy(rules);
        else await ctx.destroy({ id, summary: "", files: [...files], bytes: 0 }, rules);
      },
    }),
  }) as AnyStage;
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
