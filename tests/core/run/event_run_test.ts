import assert from "node:assert/strict";
import type { Item, Plan } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import type { ItemReport } from "../../../core/run/report.ts";
import { event, eventStage, listSource, queueSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

function pipeline(source: string, ...stages: string[]): string {
  const tables = stages.map((stage) => `[[stage]]\n${stage.includes("=") ? stage : `use = "${stage}"`}\n`);
  return `name = "events"\n[source]\nuse = "${source}"\n${tables.join("")}`;
}

const outcomes = (report: { items: ItemReport[] }) => report.items.map(({ name, outcome }) => [name, outcome]);

Deno.test("runEvents() takes events through the stages, hands data on, and acknowledges each", async () => {
  const list = listSource([event("a", { n: 1 }), event("b", { n: 2 })]);
  const seen: unknown[] = [];
  const add = eventStage("add", {
    apply: (_step, ctx) => Promise.resolve(ctx.amend({ sum: Number(ctx.item.data.n) + 10, n: 0 })),
  });
  const look = eventStage("look", {
    async *plan(item): AsyncIterable<Plan> {
      seen.push(item.data);
      yield { kind: "skip", why: "only looking" };
    },
  }, { effect: "read" });
  await using world = await World.open({ plugins: [list.plugin, add, look] });
  const report = await world.run({ pipeline: pipeline("list", "add", "look") });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(outcomes(report), [["a", "done"], ["b", "done"]]);
  assert.deepEqual(seen, [{ n: 0, sum: 11 }, { n: 0, sum: 12 }]);
  assert.deepEqual(list.acked, [["a", "done"], ["b", "done"]]);
  assert.deepEqual(report.items[0].stages.map(({ id, outcome, applied }) => [id, outcome, applied]), [
    ["add", "done", 1],
    ["look", "skipped", 0],
  ]);
});

Deno.test("S19 runEvents() fails one event, goes on with the next, and runs the handlers", async () => {
  const list = listSource([event("bad"), event("good")]);
  const handled: string[] = [];
  const act = eventStage("act", {
    apply: (_step, ctx) =>
      ctx.item.name === "bad" ? Promise.reject(new PipelineError("x/y", "Cannot act: no")) : Promise.resolve(),
  });
  const note = eventStage("note", {
    apply: (_step, ctx) => Promise.resolve(void handled.push(`${ctx.item.name} ${ctx.failure?.error.code}`)),
  }, { onItemFailed: true });
  await using world = await World.open({ plugins: [list.plugin, act, note] });
  const report = await world.run({
    pipeline: `${pipeline("list", "act")}[[on_item_failed]]\nuse = "note"\n`,
  });
  assert.equal(report.exit_code, 1);
  assert.deepEqual(outcomes(report), [["bad", "failed"], ["good", "done"]]);
  assert.equal(report.items[0].error?.code, "x/y");
  assert.equal(report.items[0].error?.stage, "act");
  assert.deepEqual(list.acked, [["bad", "failed"], ["good", "done"]]);
  assert.deepEqual(handled, ["bad x/y"]);
});

Deno.test("runEvents() retries, times out, and passes over what on_error says", async () => {
  const list = listSource([event("a")]);
  let attempts = 0;
  const flaky = eventStage("flaky", {
    apply() {
      if (++attempts < 3) throw new PipelineError("x/busy", "Cannot act: busy", { retry: "transient" });
      return Promise.resolve();
    },
  });
  const hangs = eventStage("hangs", {
    plan: (_item, ctx) => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))),
      }),
    }),
  });
  await using world = await World.open({ plugins: [list.plugin, flaky, hangs] });
  const report = await world.run({
    pipeline: pipeline(
      "list",
      `use = "flaky"\nretry = { attempts = 3, first = "1s" }`,
      `use = "hangs"\ntimeout = "5ms"\non_error = "warn"`,
    ),
  });
  assert.equal(attempts, 3);
  assert.deepEqual(world.clock.slept, [1000, 2000]);
  assert.deepEqual(report.items[0].stages.map(({ outcome }) => outcome), ["done", "failed"]);
  assert.equal(report.items[0].outcome, "done");
  assert.match(report.items[0].stages[1].why ?? "", /took over 5 ms/);
});

Deno.test("S17 runEvents() plans from what stages promise in a dry run, applies nothing and acknowledges nothing", async () => {
  const list = listSource([event("a")]);
  const planned: unknown[] = [];
  const add = eventStage("add", {
    async *plan() {
      yield { kind: "todo", id: "1", summary: "add", data: null, promises: { to: ["x@y.z"] } };
    },
    apply: () => assert.fail("applied"),
  });
  const look = eventStage("look", {
    async *plan(item): AsyncIterable<Plan> {
      planned.push(item.data.to);
      yield { kind: "skip", why: "only looking" };
    },
  });
  await using world = await World.open({ plugins: [list.plugin, add, look] });
  const report = await world.run({ pipeline: pipeline("list", "add", "look"), dryRun: true });
  assert.equal(report.exit_code, 0);
  assert.deepEqual(planned, [["x@y.z"]]);
  assert.deepEqual(list.acked, []);
});

Deno.test("runEvents() ends an item that is dropped or waits, and says why", async () => {
  const list = listSource([event("drop"), event("wait")]);
  const gate = eventStage("gate", {
    async *plan(item): AsyncIterable<Plan> {
      yield item.name === "drop"
        ? { kind: "drop", why: "nobody cares" }
        : { kind: "wait", why: "later", until: Date.UTC(2030, 0) };
    },
  });
  const never = eventStage("never", { apply: () => assert.fail("reached") });
  await using world = await World.open({ plugins: [list.plugin, gate, never] });
  const report = await world.run({ pipeline: pipeline("list", "gate", "never") });
  assert.equal(report.exit_code, 0);
  assert.deepEqual(report.items.map(({ outcome, why, until }) => [outcome, why, until]), [
    ["dropped", "nobody cares", undefined],
    ["waiting", "later", "2030-01-01T00:00:00.000Z"],
  ]);
  assert.deepEqual(report.items[0].stages.map(({ outcome }) => outcome), ["dropped", "not-reached"]);
  assert.deepEqual(list.acked, [["drop", "dropped"], ["wait", "waiting"]]);
});

Deno.test("an endless source runs until it is asked to stop, tells each item, keeps none, and ends with 0", async () => {
  for (const deaf of [false, true]) {
    const queue = queueSource({ deaf });
    const stop = new AbortController();
    const told: string[] = [];
    await using world = await World.open({
      plugins: [
        queue.plugin,
        eventStage("act", {
          apply: (_step, ctx) =>
            ctx.item.name === "bad" ? Promise.reject(new PipelineError("x/y", "Cannot act: no")) : Promise.resolve(),
        }),
      ],
    });
    queue.push(event("one"));
    const running = world.run({
      pipeline: pipeline("queue", "act"),
      stop: stop.signal,
      onItem(item) {
        told.push(`${item.name} ${item.outcome}`);
        if (item.name === "one") queue.push(event("bad"));
        if (item.name === "bad") queue.push(event("two"));
        if (item.name === "two") stop.abort();
      },
    });
    const report = await running;
    assert.equal(report.exit_code, 0);
    assert.deepEqual(told, ["one done", "bad failed", "two done"]);
    assert.deepEqual(report.items, []);
    assert.deepEqual(report.counts, { done: 2, failed: 1 });
    assert.deepEqual(queue.acked, [["one", "done"], ["bad", "failed"], ["two", "done"]]);
  }
});

Deno.test("an endless run that is asked to stop within an item lets it wait; nothing of it counts as done", async () => {
  const queue = queueSource();
  const stop = new AbortController();
  const told: ItemReport[] = [];
  const many = eventStage("many", {
    async *plan(): AsyncIterable<Plan> {
      yield { kind: "todo", id: "1", summary: "1", data: null };
      yield { kind: "todo", id: "2", summary: "2", data: null };
    },
    apply: (step, ctx) => {
      ctx.remember("key", 1000);
      stop.abort();
      assert.equal(step.id, "1");
      return Promise.resolve();
    },
  });
  await using world = await World.open({ plugins: [queue.plugin, many] });
  queue.push(event("one"));
  const onItem = (item: ItemReport) => void told.push(item);
  const report = await world.run({ pipeline: pipeline("queue", "many"), stop: stop.signal, onItem });
  assert.equal(report.exit_code, 0);
  assert.deepEqual(told.map(({ outcome }) => outcome), ["waiting"]);
  assert.deepEqual(queue.acked, [["one", "waiting"]]);
  assert.equal(await world.journal.seen.get("events:key"), undefined);
});

Deno.test("an endless run ends with its error when its source fails", async () => {
  const queue = queueSource();
  const broken = { ...queue.plugin, open: () => ({ items: () => assert.fail("the log is gone") }) };
  await using world = await World.open({ plugins: [broken as typeof queue.plugin, eventStage("act", {})] });
  const report = await world.run({ pipeline: pipeline("queue", "act") });
  assert.equal(report.exit_code, 1);
  assert.match(report.error?.message ?? "", /the log is gone/);
});

Deno.test("a finite run over events that was interrupted exits 130", async () => {
  const list = listSource([event("a")]);
  await using world = await World.open({ plugins: [list.plugin, eventStage("act", {})] });
  const report = await world.run({ pipeline: pipeline("list", "act"), stop: AbortSignal.abort() });
  assert.equal(report.exit_code, 130);
  assert.deepEqual(report.items, []);
  assert.equal(list.pulled, 0);
});

Deno.test("goesOn() lets the other steps be tried after one was refused; finished ones are not repeated", async () => {
  const list = listSource([event("a")]);
  const applied: string[] = [];
  let refused = true;
  const each = eventStage("each", {
    async *plan(): AsyncIterable<Plan> {
      for (const id of ["1", "2", "3"]) yield { kind: "todo", id, summary: id, data: null };
    },
    apply(step) {
      applied.push(step.id);
      if (step.id === "1" && refused) throw new PipelineError("notify/refused", "Cannot deliver: refused");
      return Promise.resolve();
    },
  }, { resume: "skip-finished", goesOn: (error) => error.code === "notify/refused" });
  await using world = await World.open({ plugins: [list.plugin, each] });
  const report = await world.run({ pipeline: pipeline("list", "each") });
  assert.equal(report.exit_code, 1);
  assert.deepEqual(applied, ["1", "2", "3"]);
  assert.deepEqual([report.items[0].stages[0].applied, report.items[0].stages[0].outcome], [2, "failed"]);
  refused = false;
  applied.length = 0;
  const again = await world.run({ pipeline: pipeline("list", "each") });
  assert.deepEqual(outcomes(again), [["a", "done"]]);
  assert.deepEqual(applied, ["1"]);
  assert.equal(
    await world.journal.steps.isFinished("event:events:a", "each", "1"),
    false,
    "a finished event leaves none",
  );
});

Deno.test("emit() queues an event once however often the step runs, and nothing where notify is off", async () => {
  for (const enabled of [true, false]) {
    const list = listSource([event("a")]);
    const tell = eventStage("tell", {
      async apply(_step, ctx) {
        assert.equal(await ctx.emit({ event: "fusion_error", data: { text: "x" } }), enabled);
      },
    });
    await using world = await World.open({ plugins: [list.plugin, tell], config: `[notify]\nenabled = ${enabled}\n` });
    for (let round = 0; round < 2; round++) await world.run({ pipeline: pipeline("list", "tell") });
    const pending = await world.journal.outbox.pending();
    assert.deepEqual(pending.map(({ event, data }) => [event, data]), enabled ? [["fusion_error", { text: "x" }]] : []);
  }
});

Deno.test("emit() queues the events of a stage at one go, before a step counts as finished", async () => {
  const list = listSource([event("a")]);
  const told = (resume: "redo" | "skip-finished") =>
    eventStage(resume, {
      async *plan(): AsyncIterable<Plan> {
        for (const id of ["1", "2", "3"]) yield { kind: "todo", id, summary: id, data: null };
      },
      async apply(step, ctx) {
        if (step.id === "3") throw new PipelineError("x/y", "Cannot tell: no");
        await ctx.emit({ event: "lab_error", data: step.id });
      },
    }, { resume });
  await using world = await World.open({
    plugins: [list.plugin, told("redo"), told("skip-finished")],
    config: "[notify]\nenabled = true\n",
  });
  const writes: string[] = [];
  const noted = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (typeof value === "object" && value !== null) return noted(value);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (["enqueue", "enqueueMany", "finish"].includes(String(key))) writes.push(String(key));
          return value.apply(target, args);
        };
      },
    });
  const wrap = (services: EngineServices) => ({ ...services, journal: noted(services.journal) });
  await world.run({ pipeline: pipeline("list", `use = "redo"\non_error = "warn"`, "skip-finished"), wrap });
  assert.deepEqual(writes, ["enqueueMany", "enqueueMany", "finish", "enqueueMany", "finish"]);
  assert.deepEqual((await world.journal.outbox.pending()).map(({ data }) => data), ["1", "2", "1", "2"]);
});

Deno.test("a timer, and so a signal and a deadline, gets its turn while an item has very many steps", async () => {
  const queue = queueSource();
  const stop = new AbortController();
  const steps = 300_000;
  let applied = 0;
  const many = eventStage("many", {
    async *plan(): AsyncIterable<Plan> {
      for (let id = 0; id < steps; id++) yield { kind: "todo", id: `${id}`, summary: "", data: null };
    },
    apply() {
      if (applied++ === 0) AbortSignal.timeout(0).addEventListener("abort", () => stop.abort());
      return Promise.resolve();
    },
  });
  await using world = await World.open({ plugins: [queue.plugin, many] });
  queue.push(event("one"));
  const told: ItemReport[] = [];
  const onItem = (item: ItemReport) => void told.push(item);
  await world.run({ pipeline: pipeline("queue", "many"), stop: stop.signal, onItem });
  assert.deepEqual(told.map(({ outcome }) => outcome), ["waiting"]);
  assert.ok(applied < steps, `${applied} steps were applied`);
});

Deno.test("a plan cannot change the item or the world, by type and at run time", async () => {
  const list = listSource([event("a", { deep: { n: 1 } })]);
  let tried = 0;
  const bad = eventStage("bad", {
    async *plan(item: Item, ctx): AsyncIterable<Plan> {
      for (const act of ["amend", "remember", "emit", "notifier", "exec", "checkpoint", "place", "lock", "destroy"]) {
        assert.equal(act in ctx, false, act);
      }
      // @ts-expect-error a plan has no way to amend
      assert.throws(() => ctx.amend({}), TypeError);
      assert.throws(() => Object.assign(item.data, { n: 2 }), TypeError);
      assert.throws(() => Object.assign(item.data.deep as object, { n: 2 }), TypeError);
      tried++;
      yield { kind: "skip", why: "only looking" };
    },
  });
  await using world = await World.open({ plugins: [list.plugin, bad] });
  const report = await world.run({ pipeline: pipeline("list", "bad") });
  assert.equal(report.exit_code, 0, JSON.stringify(report.items[0].error));
  assert.equal(tried, 1);
});

Deno.test("lint refuses trees and events in one pipeline, and has nothing against one without a root", async () => {
  const list = listSource([]);
  await using world = await World.open({ plugins: [list.plugin, eventStage("act", {})] });
  const { diagnostics } = world.compile(pipeline("list", "lock", "act"));
  assert.deepEqual(diagnostics.map(({ code }) => code), ["pipeline/wrong-item"]);
  assert.match(diagnostics[0].message, /takes trees and backups, and the source \(line 3\) yields events/);
  assert.deepEqual(world.compile(pipeline("list", "act")).diagnostics, []);
  const tree = `name = "t"\n[source]\nuse = "idle-folders"\nwith = { root = "/instrument/studies" }\n`;
  assert.deepEqual(
    world.compile(`${tree}[[stage]]\nuse = "act"\n`).diagnostics.map(({ code }) => code),
    ["pipeline/wrong-item"],
  );
});

Deno.test("an endless run ends with 0 when it is asked to stop while a stage and its disposal hang", async () => {
  const queue = queueSource();
  const stop = new AbortController();
  const told: string[] = [];
  const act = eventStage("act", {
    apply() {
      stop.abort();
      return new Promise(() => {});
    },
  });
  const { open } = act;
  act.open = async (...given) => ({ ...await open(...given), [Symbol.asyncDispose]: () => new Promise(() => {}) });
  await using world = await World.open({ plugins: [queue.plugin, act] });
  queue.push(event("one"));
  const report = await world.run({
    pipeline: pipeline("queue", "act"),
    stop: stop.signal,
    deadlines: { finishMs: 1, leaveMs: 0, lastDisposeMs: 1, disposeMs: 1e9 },
    onItem: (item) => told.push(`${item.name} ${item.outcome}`),
  });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(told, ["one waiting"]);
});
