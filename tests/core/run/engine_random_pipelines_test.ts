import assert from "node:assert/strict";
import fc from "fast-check";
import { type Plan, plan } from "../../kit/random_plan.ts";
import { accepts, type Outcome, play } from "../../kit/random_play.ts";
import { BASES, NEAR_MISSES, renderPipeline } from "../../kit/random_pipelines.ts";
import { World } from "../../../testing/world.ts";

/** How many pipelines are drawn; what lint accepts of them is run. `LABFERRY_PIPELINES=50000` for a night. */
const DRAWN = Number(Deno.env.get("LABFERRY_PIPELINES") ?? 5000);
/** Another one at each run; a failure says how to play it again. */
const SEED = Number(Deno.env.get("LABFERRY_SEED") ?? crypto.getRandomValues(new Int32Array(1))[0] >>> 1);

/** The smallest counter-example that was found, and behind it how to play it again. */
function failure({ counterexample, counterexamplePath, numRuns, numShrinks, errorInstance }: fc.RunDetails<[Plan]>) {
  const error = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return [
    `Pipeline ${numRuns} of ${DRAWN} failed; its plan was made smaller ${numShrinks} times (${counterexamplePath}):`,
    error,
    ...counterexample === null ? [] : [`the whole plan: ${JSON.stringify(counterexample[0])}`],
    "",
    `COUNTER-EXAMPLE above. Play it again: LABFERRY_SEED=${SEED} LABFERRY_PIPELINES=${DRAWN} \\`,
    "  deno test -A tests/core/run/engine_random_pipelines_test.ts",
  ].join("\n");
}

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
  const count = { drawn: 0, accepted: 0, unlinted: 0, runs: 0, removals: 0, failed: 0 };
  const begun = performance.now();
  const property = fc.asyncProperty(plan, async (drawn) => {
    const outcome = await play(drawn);
    if (count.failed === 0) {
      count.drawn++;
      if (outcome.accepted) count.accepted++;
      else if (outcome.runs > 0) count.unlinted++;
      count.runs += outcome.runs;
      count.removals += outcome.removals;
      if (outcome.violations.length > 0) count.failed++; // from here on only the counter-example shrinks
    }
    assert.deepEqual(outcome.violations, [], words(drawn, outcome));
  });
  const details = await fc.check(property, { numRuns: DRAWN, seed: SEED });
  const share = Math.round(100 * count.accepted / count.drawn);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(
    `LABFERRY_SEED=${SEED}: ${count.drawn} pipelines drawn, ${count.accepted} accepted (${share} %), ` +
      `${count.unlinted} run past lint, ${count.runs} runs, ${count.removals} files removed, ${seconds} s`,
  );
  if (details.failed) throw new Error(failure(details));
  assert.equal(count.drawn, DRAWN);
  assert.ok(count.accepted > count.drawn * 0.2, `lint accepts ${count.accepted} of ${count.drawn}`);
  assert.ok(count.removals > 0, "no file was ever removed");
});

Deno.test("lintPipeline() accepts the shipped order, and the pipelines the random ones are made from", async () => {
  await using world = await World.open();
  for (const [name, stages] of Object.entries(BASES)) {
    assert.ok(accepts(world, { before: [], stages, handlers: [] }), name);
  }
});

Deno.test("lintPipeline() refuses what lacks one thing", async () => {
  await using world = await World.open();
  for (const [name, stages] of Object.entries(NEAR_MISSES)) {
    assert.equal(accepts(world, { before: [], stages, handlers: [] }), undefined, name);
  }
});
