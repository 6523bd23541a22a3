import assert from "node:assert/strict";
import { type AnyStage, defineStage, type StageRun } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import type { WriteContext } from "../../../core/ports.ts";
import { assertDone, assertFailed, worldWith } from "../../kit/rules.ts";

const PIPELINE = `
name = "long"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "long"
`;

/** A stage with one long step, for which `work` stands. */
function long(work: (ctx: WriteContext) => Promise<void>, resume: AnyStage["resume"] = "redo"): AnyStage {
  return defineStage({
    kind: "stage",
    name: "long",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "read",
    resume,
    options: z.strictObject({}),
    example: "",
    open: (): StageRun => ({
      async *plan() {
        yield { kind: "todo", id: "step", summary: "a step", data: null };
      },
      apply: (_step, ctx) => work(ctx),
    }),
  });
}

const interrupted = () => new PipelineError("test/failed", `Cannot go on with "it": a test`, { retry: "transient" });

Deno.test("a stage reads in the next run what it saved within a step, and nothing once the step has ended", async () => {
  for (const resume of ["redo", "skip-finished"] as const) {
    const seen: unknown[] = [];
    let broken = true;
    const stage = long(async (ctx) => {
      seen.push(await ctx.readCheckpoint());
      await ctx.checkpoint({ frame: seen.length });
      if (broken) throw interrupted();
    }, resume);
    await using world = await worldWith(undefined, { plugins: [stage] });
    assertFailed(await world.run({ pipeline: PIPELINE }), "test/failed");
    broken = false;
    assertDone(await world.run({ pipeline: PIPELINE }));
    assert.deepEqual(seen, [undefined, { frame: 1 }], resume);
    assertDone(await world.run({ pipeline: PIPELINE }));
    assert.deepEqual(seen.slice(2), resume === "redo" ? [undefined] : [], resume);
  }
});

Deno.test("a stage reads in the next attempt what it saved, and nothing where its work is to be repeated", async () => {
  const retried = PIPELINE + `retry = { attempts = 2, first = "1s" }\n`;
  for (const force of [undefined, "long", "other"]) {
    const seen: unknown[] = [];
    const stage = long(async (ctx) => {
      seen.push(await ctx.readCheckpoint());
      await ctx.checkpoint(seen.length);
      if (seen.length < 2) throw interrupted();
    });
    await using world = await worldWith(undefined, { plugins: [stage] });
    assertDone(await world.run({ pipeline: retried, force }));
    assert.deepEqual(seen, [undefined, force === "long" ? undefined : 1], force);
  }
});
