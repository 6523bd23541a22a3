/** Lint, purity of the plan, repetition, disposal. @module */
import assert from "node:assert/strict";
import type { AnyStage, Plan } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { ConformanceOptions } from "./conformance.ts";
import { assertEnded, endState, type NamedCheck, openWorld, snapshot, subjectOf } from "./conformance_run.ts";
import { observed } from "./observed.ts";
import { pipelineOf } from "./stage_setting.ts";
import type { RunOptions } from "./world.ts";

/** The checks in which nothing goes wrong, and of what is disposed of. */
export function repetitionChecks(plugin: AnyStage, options: ConformanceOptions): NamedCheck[] {
  const pipeline = pipelineOf(plugin, options);
  return [
    ["is accepted by lint as it is put to work here", async () => {
      await using world = await openWorld(plugin, options);
      const { diagnostics } = world.compile(pipeline);
      const errors = diagnostics.filter((found) => found.severity === "error");
      assert.deepEqual(errors.map(({ code, message }) => `${code}: ${message}`), []);
    }],
    ["plans the same steps twice and changes nothing by planning", () => plansPurely(plugin, options)],
    ["run again leaves the same end state", async () => {
      await using world = await openWorld(plugin, options);
      const first = await world.run({ pipeline });
      assertEnded(first, options);
      assert.notEqual(subjectOf(first).outcome, "not-reached");
      const after = await endState(world);
      assertEnded(await world.run({ pipeline }), options);
      assert.deepEqual(await endState(world), after, "a second run left something else than the first");
    }],
    // A destroy that went well is never repeated: the engine refuses, since what it would look at again is gone.
    ...plugin.effect === "destroy" ? [] : [
      ["may apply a step twice", async () => {
        await using once = await openWorld(plugin, options);
        assertEnded(await once.run({ pipeline }), options);
        const twice = observed(plugin, {
          async apply(_step, act) {
            await act();
            await act();
          },
        });
        await using world = await openWorld(twice, options);
        assertEnded(await world.run({ pipeline }), options);
        assert.deepEqual(await endState(world), await endState(once), "a step applied twice left something else");
      }] as const,
    ],
    ["is disposed of once, however the run ends", () => disposes(plugin, options)],
  ];
}

async function plansPurely(plugin: AnyStage, options: ConformanceOptions): Promise<void> {
  const plans: { item: string; plan: Plan }[][] = [];
  const watched = observed(plugin, {
    planned: (plan, { id }) => void plans.at(-1)?.push({ item: id, plan: structuredClone(plan) }),
  });
  const started: string[] = [];
  await using world = await openWorld(watched, {
    ...options,
    exec: (argv) => void started.push(argv.join(" ")),
  });
  const before = await snapshot(world);
  for (let round = 0; round < 2; round++) {
    plans.push([]);
    assertEnded(await world.run({ pipeline: pipelineOf(plugin, options), dryRun: true }), options);
  }
  assert.deepEqual(plans[0], plans[1], "the second plan is another than the first");
  for (const [item, of] of Map.groupBy(plans[0], (drawn) => drawn.item)) {
    const ids = of.flatMap(({ plan }) => plan.kind === "todo" ? [plan.id] : []);
    assert.equal(new Set(ids).size, ids.length, `step ids are unique within "${item}": ${ids.join(", ")}`);
  }
  assert.deepEqual(started, [], "a dry run started a program");
  assert.deepEqual(await snapshot(world), before, "planning changed something");
}

/** Ends of a run, each in its own way. */
const ENDS: { how: string; run: RunOptions; fails?: true; aborts?: true }[] = [
  { how: "the run ends well", run: {} },
  { how: "it is a dry run", run: { dryRun: true } },
  { how: "a step fails", run: {}, fails: true },
  { how: "the run is broken off", run: {}, aborts: true },
];

async function disposes(plugin: AnyStage, options: ConformanceOptions): Promise<void> {
  for (const { how, run, fails, aborts } of ENDS) {
    const abort = new AbortController();
    let opened = 0, disposed = 0;
    const watched = observed(plugin, {
      opened: () => void opened++,
      disposed: () => void disposed++,
      apply(_step, act) {
        if (fails) return Promise.reject(new PipelineError("test/failed", "Cannot go on: the test says so"));
        if (aborts) abort.abort(new DOMException("stopped", "AbortError"));
        return act();
      },
    });
    await using world = await openWorld(watched, options);
    const report = await world.run({ pipeline: pipelineOf(plugin, options), abort: abort.signal, ...run });
    if (!fails && !aborts) assertEnded(report, options);
    assert.notEqual(opened, 0, "it was never opened");
    assert.equal(disposed, opened, `opened ${opened} times and disposed of ${disposed} times when ${how}`);
  }
}
