import assert from "node:assert/strict";
import { defineStage, type StageRun } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { LeftBehind, untilLeft } from "../../../core/run/left_behind.ts";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";

const LOCK = `${SOURCE_ROOT}/study1/.labferry.lock`;

const never = () => new Promise<never>(() => {});

const pipeline = (keys = "") => `
name = "one"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "lock"
[[stage]]
use = "probe"
${keys}
`;

async function worldWithProbe(run: Partial<StageRun>, studies = ["study1"]): Promise<World> {
  const probe = defineStage({
    kind: "stage",
    name: "probe",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: (): StageRun => ({
      async *plan() {
        yield { kind: "todo", id: "step", summary: "a step", data: null };
      },
      apply: () => Promise.resolve(),
      ...run,
    }),
  });
  const world = await World.open({ plugins: [probe] });
  for (const name of studies) world.study(name, { "a.txt": "alpha" });
  return world;
}

Deno.test("a step that never ends fails its item when its time is over, and the other items are done", async () => {
  let applied = 0;
  await using world = await worldWithProbe({
    apply: (_step, ctx) => ctx.item.name === "study1" ? never() : Promise.resolve(void applied++),
  }, ["study1", "study2"]);
  const report = await world.run({ pipeline: pipeline(`timeout = "5ms"`), deadlines: { leaveMs: 0 } });
  assert.equal(report.exit_code, 1);
  assert.deepEqual(report.items.map(({ error }) => error?.code), ["run/timeout", undefined]);
  assert.equal(applied, 1);
  assert.ok(world.log.lines.some(({ level, message }) => level === "warn" && /is left behind/.test(message)));
});

Deno.test("a stage that may fail fails its item all the same when it was left behind: no later one runs beside it", async () => {
  const applied: string[] = [];
  await using world = await worldWithProbe({
    apply: (_step, ctx) => {
      applied.push(ctx.stage);
      return ctx.stage === "first" ? ctx.exec({ argv: ["x"] } as never) : Promise.resolve();
    },
  });
  world.onExec = never;
  const two = pipeline(`id = "first"\ntimeout = "5ms"\non_error = "warn"\n[[stage]]\nuse = "probe"\nid = "second"`);
  const report = await world.run({ pipeline: two, deadlines: { leaveMs: 0 } });
  assert.equal(report.exit_code, 1);
  assert.deepEqual(report.items.map(({ error }) => [error?.code, error?.stage]), [["run/timeout", "first"]]);
  assert.deepEqual(applied, ["first"]);
});

Deno.test("a step that never ends and the act it waits for are waited for once, not one after the other", async () => {
  await using world = await worldWithProbe({ apply: (_step, ctx) => ctx.exec({ argv: ["x"] } as never) });
  world.onExec = never;
  const leaveMs = 7;
  const timer = globalThis.setTimeout;
  let waits = 0;
  const counted = (act: () => void, ms?: number) => timer(() => (ms === leaveMs && waits++, act()), ms);
  try {
    globalThis.setTimeout = counted as typeof setTimeout;
    await world.run({ pipeline: pipeline(`timeout = "5ms"`), deadlines: { leaveMs } });
  } finally {
    globalThis.setTimeout = timer;
  }
  assert.equal(waits, 1);
});

Deno.test("a step left behind can do nothing more, and the lock is kept until it has ended", async () => {
  const hangs = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<unknown[]>();
  await using world = await worldWithProbe({
    async apply(_step, ctx) {
      await hangs.promise;
      const tried = [() => ctx.lock(), () => ctx.record("in_progress"), () => ctx.checkpoint(1), () => ctx.place("x")];
      refused.resolve(
        await Promise.all(tried.map(async (act) => {
          try {
            return await act();
          } catch (error) {
            return (error as Error).message;
          }
        })),
      );
    },
  });
  await world.run({ pipeline: pipeline(`timeout = "5ms"`), deadlines: { leaveMs: 0 } });
  assert.notEqual(world.fs.disk.lstat(LOCK), undefined);
  const released = Promise.withResolvers<void>();
  world.fs.fault = ({ operation, path }) => {
    if (operation === "removeFile" && path === LOCK) released.resolve();
  };
  hangs.resolve();
  const why = "the step did not end when it was told to, and was left behind";
  assert.deepEqual(await refused.promise, [why, why, why, why]);
  await released.promise;
});

Deno.test("a step that hears its signal is waited for, and the lock given back", async () => {
  await using world = await worldWithProbe({
    async apply(_step, ctx) {
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      ctx.signal.throwIfAborted();
    },
  });
  const report = await world.run({ pipeline: pipeline(`timeout = "5ms"`) });
  assert.equal(report.items[0].error?.code, "run/timeout");
  assert.equal(world.fs.disk.lstat(LOCK), undefined);
});

Deno.test("a step that never ends does not hold a run that is told to stop now", async () => {
  const abort = new AbortController();
  await using world = await worldWithProbe({
    apply() {
      abort.abort();
      return never();
    },
  });
  const report = await world.run({ pipeline: pipeline(), abort: abort.signal, deadlines: { leaveMs: 0 } });
  assert.equal(report.exit_code, 130);
  assert.equal(report.items[0].outcome, "waiting");
});

Deno.test("a disposal that never ends is told of, and does not hold the run", async () => {
  await using world = await worldWithProbe({ [Symbol.asyncDispose]: never });
  const report = await world.run({ pipeline: pipeline(), deadlines: { disposeMs: 1 } });
  assert.equal(report.exit_code, 0);
  const warnings = world.log.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  assert.deepEqual(warnings, ['Cannot dispose of stage "probe": it did not end within 1 ms, and is left behind']);
});

Deno.test("LeftBehind.release() keeps the lock of a run while what an item left behind is at work", async () => {
  const run = new LeftBehind();
  const item = new LeftBehind(run);
  const work = Promise.withResolvers<void>();
  item.add(work.promise);
  const given: string[] = [];
  const all = Promise.withResolvers<void>();
  const lock = (name: string) => ({
    release() {
      if (given.push(name) === 2) all.resolve();
      return Promise.resolve();
    },
  });
  await item.release(lock("item"));
  await run.release(lock("run"));
  assert.deepEqual(given, []);
  work.reject(new Error("too late to be told"));
  await all.promise;
  await run.release(lock("next"));
  assert.deepEqual(given.sort(), ["item", "next", "run"]);
});

Deno.test("untilLeft() refuses through places that were given before", () => {
  const left = new AbortController();
  const context = untilLeft({ name: "x", place: (id: string) => ({ id, write: () => "written" }) }, left.signal);
  const place = context.place("nas");
  assert.deepEqual([context.name, place.id, place.write()], ["x", "nas", "written"]);
  left.abort(new Error("left"));
  assert.throws(() => place.write(), /left/);
  assert.throws(() => context.place("nas"), /left/);
});
