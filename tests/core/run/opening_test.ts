import assert from "node:assert/strict";
import { type AnySource, defineStage, type StageRun } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { disposingOf } from "../../../core/run/left_behind.ts";
import { openForRun } from "../../../core/run/opening.ts";
import { memoryLog } from "../../../testing/doubles.ts";
import { eventStage, queueSource } from "../../../testing/event_plugins.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";

const never = () => new Promise<never>(() => {});

Deno.test("openForRun() has what it opened disposed of with the run, also what opens only when nobody waits", async () => {
  const abort = new AbortController();
  const request = {
    compiled: { source: { plugin: { yields: "tree" } } },
    abort: abort.signal,
    stop: abort.signal,
    deadlines: { leaveMs: 0 },
  };
  const disposing = disposingOf(request as never, memoryLog());
  const events: string[] = [];
  const late = Promise.withResolvers<void>(), disposed = Promise.withResolvers<void>();
  const one = (name: string) => ({
    [Symbol.asyncDispose]: () => {
      events.push(name);
      if (name === "late") disposed.resolve();
      return Promise.resolve();
    },
  });
  {
    await using stack = new AsyncDisposableStack();
    const until = { abort: abort.signal, stack, disposing };
    await openForRun("a stage", () => one("a stage"), until);
    await assert.rejects(openForRun("a failure", () => Promise.reject(new Error("no")), until), /no/);
    const hanging = openForRun("late", () => late.promise.then(() => one("late")), until);
    abort.abort();
    await assert.rejects(hanging, { code: "run/stopped" });
  }
  late.resolve();
  await disposed.promise;
  assert.deepEqual(events, ["a stage", "late"]);
});

Deno.test("a stage that hangs while it is opened for the run does not hold one that is told to stop now", async () => {
  const abort = new AbortController();
  const probe = defineStage({
    kind: "stage",
    name: "probe",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open(): Promise<StageRun> {
      abort.abort();
      return never();
    },
  });
  await using world = await World.open({ plugins: [probe] });
  world.study("study1", { "a.txt": "alpha" });
  const pipeline = BACKUP.replace("[[stage]]", '[[stage]]\nuse = "probe"\n[[stage]]');
  const report = await world.run({ pipeline, abort: abort.signal, deadlines: { leaveMs: 0 } });
  assert.deepEqual([report.exit_code, report.error?.code], [130, "run/stopped"]);
  assert.deepEqual(Object.keys(world.files(SOURCE_ROOT)), ["study1/a.txt"]);
});

Deno.test("an endless run that is asked to stop while something opens ends well", async () => {
  const stop = new AbortController();
  const hangs = () => {
    stop.abort();
    return never();
  };
  const queue = queueSource();
  const source = { ...queue.plugin, open: hangs } as AnySource;
  const take = eventStage("take", {});
  for (const plugins of [[source, take], [queue.plugin, { ...take, open: hangs }]]) {
    await using world = await World.open({ plugins });
    const pipeline = `name = "e"\n[source]\nuse = "queue"\n[[stage]]\nuse = "take"\n`;
    const report = await world.run({ pipeline, stop: stop.signal, deadlines: { leaveMs: 0, finishMs: 0 } });
    assert.deepEqual([report.exit_code, report.error], [0, undefined]);
  }
});
