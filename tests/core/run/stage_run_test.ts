import assert from "node:assert/strict";
import { defineStage, type Plan, type StageRun } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";

/** A pipeline of one stage. */
const pipeline = (keys: string) => `
name = "one"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "probe"
${keys}
`;

async function worldWithProbe(run: Partial<StageRun>): Promise<World> {
  const probe = defineStage({
    kind: "stage",
    name: "probe",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: (): StageRun => ({ async *plan() {}, apply: () => Promise.resolve(), ...run }),
  });
  const world = await World.open({ plugins: [probe] });
  world.study("study1", { "a.txt": "alpha" });
  return world;
}

const STEP: Plan = { kind: "todo", id: "step", summary: "a step", data: null };

function busy(): PipelineError {
  return new PipelineError("io/busy", `Cannot read "x": it is in use`, { retry: "transient" });
}

Deno.test("runStage() ends a plan that hangs when its time is over, and the signals of its context with it", async () => {
  const signals: AbortSignal[] = [];
  await using world = await worldWithProbe({
    async *plan(_item, ctx) {
      signals.push(ctx.signal);
      yield await new Promise<never>(() => {});
    },
  });
  const report = await world.run({ pipeline: pipeline(`timeout = "5ms"`) });
  assert.equal(report.items[0].error?.code, "run/timeout");
  assert.deepEqual(signals.map((signal) => signal.aborted), [true]);
});

Deno.test("runStage() gives a step the signal of its timeout for every port", async () => {
  let stopped: unknown;
  await using world = await worldWithProbe({
    async *plan() {
      yield STEP;
    },
    async apply(_step, ctx) {
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      stopped = await ctx.lock().then(() => "locked", (error) => error);
    },
  });
  await world.run({ pipeline: pipeline(`timeout = "5ms"`) });
  assert.notEqual(stopped, "locked");
  assert.equal(world.fs.disk.lstat(`${SOURCE_ROOT}/study1/.labferry.lock`), undefined);
});

Deno.test("runStage() draws a plan anew that failed before its first step, and counts what it then does", async () => {
  let plans = 0, applied = 0;
  await using world = await worldWithProbe({
    async *plan() {
      yield { kind: "skip", why: "held", files: 2 };
      if (++plans < 3) throw busy();
      yield STEP;
    },
    apply: () => Promise.resolve(void applied++),
  });
  const report = await world.run({ pipeline: pipeline(`retry = { attempts = 3, first = "1s" }`) });
  assert.equal(report.exit_code, 0, JSON.stringify(report.items));
  assert.deepEqual([plans, applied], [3, 1]);
  const [stage] = report.items[0].stages;
  assert.deepEqual([stage.applied, stage.skipped], [1, 2]);
});

Deno.test("runStage() does not draw a plan anew behind its first step, nor without leave", async () => {
  for (const [keys, first] of [[`retry = { attempts = 3, first = "1s" }`, true], ["", false]] as const) {
    let plans = 0;
    await using world = await worldWithProbe({
      async *plan() {
        plans++;
        if (first) yield STEP;
        throw busy();
      },
    });
    const report = await world.run({ pipeline: pipeline(keys) });
    assert.equal(report.items[0].error?.code, "io/busy");
    assert.equal(plans, 1, keys);
  }
});

Deno.test("runStage() hears the wish to stop during the pause before another attempt", async () => {
  const stop = new AbortController();
  let attempts = 0;
  await using world = await worldWithProbe({
    async *plan() {
      yield STEP;
    },
    apply: () => {
      attempts++;
      return Promise.reject(busy());
    },
  });
  const report = await world.run({
    pipeline: pipeline(`retry = { attempts = 3, first = "1h" }`),
    stop: stop.signal,
    wrap: (services) => ({
      ...services,
      clock: {
        now: () => services.clock.now(),
        sleep: (_ms, signal) => {
          stop.abort();
          return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
        },
      },
    }),
  });
  assert.equal(attempts, 1);
  assert.equal(report.exit_code, 130);
  const [{ outcome, why, error, stages }] = report.items;
  assert.deepEqual([outcome, error, report.error?.code], ["waiting", undefined, "run/stopped"]);
  assert.equal(why, "the run was asked to stop; the next one goes on with it");
  assert.deepEqual(stages.map(({ outcome }) => outcome).filter((outcome) => outcome === "failed"), []);
  assert.deepEqual(world.log.lines.filter(({ level }) => level === "error"), []);
});

Deno.test("runStage() ends a plan that hangs at its end when its time is over", async () => {
  await using world = await worldWithProbe({
    async *plan() {
      try {
        yield { kind: "drop", why: "not wanted" };
      } finally {
        await new Promise(() => {});
      }
    },
  });
  const report = await world.run({ pipeline: pipeline(`timeout = "5ms"`) });
  assert.equal(report.items[0].error?.code, "run/timeout");
});

Deno.test("runStage() ends a plan without an end when its time is over", async () => {
  await using world = await worldWithProbe({
    async *plan() {
      for (;;) yield { kind: "skip", why: "nothing to do" };
    },
  });
  const report = await world.run({ pipeline: pipeline(`timeout = "5ms"`) });
  assert.equal(report.items[0].error?.code, "run/timeout");
});

Deno.test("runStage() leaves a stage that does not open, and disposes of it when it has", async () => {
  const opens = Promise.withResolvers<void>(), disposed = Promise.withResolvers<void>();
  const probe = defineStage({
    kind: "stage",
    name: "probe",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({ name: z.string() }),
    example: "",
    async open(): Promise<StageRun> {
      await opens.promise;
      return {
        async *plan() {},
        apply: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(disposed.resolve()),
      };
    },
  });
  await using world = await World.open({ plugins: [probe] });
  world.study("study1", { "a.txt": "alpha" });
  const keys = `timeout = "5ms"\non_error = "warn"\nwith = { name = "\${item.name}" }`;
  const report = await world.run({ pipeline: pipeline(keys), deadlines: { leaveMs: 0 } });
  assert.equal(report.items[0].error?.code, "run/timeout");
  opens.resolve();
  await disposed.promise;
});
