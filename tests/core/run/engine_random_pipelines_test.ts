import assert from "node:assert/strict";
import fc from "fast-check";
import { type Plan, plan } from "../../kit/random_plan.ts";
import { accepts, type Outcome, play } from "../../kit/random_play.ts";
import { BASES, renderPipeline } from "../../kit/random_pipelines.ts";
import { World } from "../../kit/world.ts";

/** How many accepted pipelines are run; `LABFERRY_PIPELINES=5000` for a night. */
const WANTED = Number(Deno.env.get("LABFERRY_PIPELINES") ?? 300);
const SEED = Number(Deno.env.get("LABFERRY_SEED") ?? Date.now() % 2 ** 31);
/** Of those that lint refuses, every so many-th is run nevertheless: the engine must refuse by itself. */
const UNLINTED = 8;

function words(plan: Plan, { violations, told }: Outcome): string {
  const { pipeline, events, ...rest } = plan;
  return [
    ...violations,
    ...told,
    renderPipeline(pipeline),
    ...events.map((event) => JSON.stringify(event)),
    JSON.stringify(rest),
  ].join("\n");
}

Deno.test("runPipeline() loses nothing with whatever pipeline lint accepts, whatever befalls the world", async () => {
  const count = { drawn: 0, accepted: 0, unlinted: 0, runs: 0, removals: 0 };
  const begun = performance.now();
  const property = fc.asyncProperty(plan, async (drawn) => {
    if (count.accepted >= WANTED) return;
    count.drawn++;
    const unlinted = count.drawn % UNLINTED === 0;
    const outcome = await play(drawn, { unlinted });
    if (unlinted) count.unlinted++;
    else if (outcome.accepted) count.accepted++;
    count.runs += outcome.runs;
    count.removals += outcome.removals;
    assert.deepEqual(outcome.violations, [], words(drawn, outcome));
  });
  try {
    await fc.assert(property, { numRuns: WANTED * 12, seed: SEED });
  } finally {
    const share = Math.round(100 * count.accepted / (count.drawn - count.unlinted));
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(
      `LABFERRY_SEED=${SEED}: ${count.drawn} pipelines drawn, ${count.accepted} accepted (${share} %), ` +
        `${count.unlinted} run past lint, ${count.runs} runs, ${count.removals} files removed, ${seconds} s`,
    );
  }
  assert.ok(count.accepted > count.drawn * 0.05, `lint accepts ${count.accepted} of ${count.drawn}`);
  assert.ok(count.removals > 0, "no file was ever removed");
});

Deno.test("lintPipeline() accepts the shipped order, and the pipelines the random ones are made from", async () => {
  await using world = await World.open();
  for (const [name, stages] of Object.entries(BASES)) {
    assert.ok(accepts(world, { before: [], stages, handlers: [] }), name);
  }
});
