/** A destroy that was begun goes on whatever stages from outside stand in the pipeline (SAFETY S4, S22). */
import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { runAndBeforeRemoval } from "../../kit/rules.ts";

const ORIGINS = { nobody: { pinned: false }, "the config": { pinned: true, touches: [] } };

for (const [voucher, origin] of Object.entries(ORIGINS)) {
  Deno.test(`S22 a destroy goes on where the lock is taken by a stage that ${voucher} vouches for`, async () => {
    let asked = 0;
    const plugin = defineStage({
      kind: "stage",
      name: "own-lock",
      summary: "Locks.",
      takes: "tree",
      effect: "create",
      resume: "redo",
      options: z.strictObject({}),
      example: "",
      facts: () => ({ gives: [{ fact: "locked" }] }),
      open: () => ({
        async *plan() {
          asked++;
          yield { kind: "todo", id: "lock", summary: "lock", data: null };
        },
        apply: (_step, ctx) => ctx.lock(),
      }),
    }) as AnyStage;
    await using world = await World.open({
      external: [{ plugin, origin: { file: "/own.ts", sha256: "0", ...origin } }],
    });
    world.study("study1", { "a.txt": "alpha", "b.txt": "beta", "c/d.txt": "gamma" });
    const pipeline = BACKUP.replace(/use\s*= "lock"/, 'use = "own-lock"');
    await runAndBeforeRemoval(world, 2, () => world.fs.crash(), { pipeline }).catch(() => {});
    world.fs.restart();
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
    assert.equal(asked, 1);
    const report = await world.run({ pipeline });
    assert.equal(report.exit_code, 0, JSON.stringify(report.error ?? report.items));
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
    assert.equal(asked, 1, "it is left out");
  });
}
