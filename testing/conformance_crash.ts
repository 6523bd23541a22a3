/** A crash at any moment is made good by the next run. @module */
import assert from "node:assert/strict";
import type { AnyStage } from "../core/contract.ts";
import type { ConformanceOptions } from "./conformance.ts";
import { assertEnded, endState, type NamedCheck, openWorld } from "./conformance_run.ts";
import { stepper } from "./crash.ts";
import { CrashError } from "./memory_file_system.ts";
import { observed } from "./observed.ts";
import { pipelineOf, SUBJECT } from "./stage_setting.ts";

const MOST_CRASHES = 40;
const MOST_APPLIES = 10;

/** The checks of crashes. */
export function crashChecks(plugin: AnyStage, options: ConformanceOptions): NamedCheck[] {
  return [
    ["crashed at any moment and run again reaches the same end state", async () => {
      const { inside, wanted } = await course(plugin, options);
      for (const [nth, at] of spread(inside).entries()) {
        await using world = await openWorld(plugin, options);
        const machine = stepper(world, { crashAt: at });
        const pipeline = pipelineOf(plugin, options);
        await world.run({ pipeline, wrap: machine.wrap });
        const { last } = machine;
        // With every other crash goes all that was not flushed, as with a loss of power.
        machine.restart(() => nth % 2 === 1);
        assertEnded(await world.run({ pipeline }), options);
        assert.deepEqual(await endState(world), wanted, `crashed at step ${at} of the run: ${last}`);
      }
    }],
    ["crashed right behind a step and run again reaches the same end state", async () => {
      const { applies, wanted } = await course(plugin, options);
      for (let at = 1; at <= Math.min(applies, MOST_APPLIES); at++) {
        let applied = 0;
        const crashing = observed(plugin, {
          async apply(_step, act) {
            await act();
            if (++applied !== at) return;
            world.fs.crash();
            throw new CrashError();
          },
        });
        await using world = await openWorld(crashing, options);
        const pipeline = pipelineOf(plugin, options);
        await world.run({ pipeline });
        world.fs.restart(() => true);
        assertEnded(await world.run({ pipeline }), options);
        assert.deepEqual(await endState(world), wanted, `crashed behind apply number ${at}`);
      }
    }],
  ];
}

interface Course {
  /** Numbers of the steps of the world taken while the stage ran. */
  inside: number[];
  /** How often a step of the stage was applied. */
  applies: number;
  wanted: unknown;
}

/** A run without a crash. */
async function course(plugin: AnyStage, options: ConformanceOptions): Promise<Course> {
  let applies = 0;
  const counting = observed(plugin, {
    apply(_step, act) {
      applies++;
      return act();
    },
  });
  await using world = await openWorld(counting, options);
  const machine = stepper(world);
  const inside: number[] = [];
  let from = 0;
  const report = await world.run({
    pipeline: pipelineOf(plugin, options),
    wrap: machine.wrap,
    progress: {
      stageStarted: (_item, stage) => void (stage === SUBJECT && (from = machine.count)),
      stageFinished(_item, stage) {
        if (stage !== SUBJECT) return;
        for (let at = from + 1; at <= machine.count; at++) inside.push(at);
      },
    },
  });
  assertEnded(report, options);
  return { inside, applies, wanted: await endState(world) };
}

/** At most `MOST_CRASHES` of them, evenly. */
function spread(steps: readonly number[]): number[] {
  const stride = Math.max(1, Math.ceil(steps.length / MOST_CRASHES));
  return steps.filter((_, at) => at % stride === 0);
}
