import assert from "node:assert/strict";
import type { Plan } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import type { ItemReport } from "../../../core/run/report.ts";
import { event, eventStage, listSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

function pipeline(source: string, ...stages: string[]): string {
  const tables = stages.map((stage) => `[[stage]]\n${stage.includes("=") ? stage : `use = "${stage}"`}\n`);
  return `name = "events"\n[source]\nuse = "${source}"\n${tables.join("")}`;
}

const outcomes = (report: { items: ItemReport[] }) => report.items.map(({ name, outcome }) => [name, outcome]);

Deno.test("remember() counts once the item has ended well, and a time in the future is no answer (S13)", async () => {
  const list = listSource([event("a", {}, "1"), event("a", {}, "2"), event("a", {}, "3")]);
  const answers: (number | undefined)[] = [];
  let fails = true;
  const once = eventStage("once", {
    async *plan(_item, ctx): AsyncIterable<Plan> {
      answers.push(await ctx.seen("k"));
      yield { kind: "todo", id: "k", summary: "k", data: null };
    },
    apply: (_step, ctx) => Promise.resolve(ctx.remember("k", 60_000)),
  });
  const act = eventStage("act", {
    apply() {
      if (!fails) return Promise.resolve();
      fails = false;
      return Promise.reject(new PipelineError("x/y", "Cannot act: no"));
    },
  });
  await using world = await World.open({ plugins: [list.plugin, once, act] });
  await world.run({ pipeline: pipeline("list", "once", "act") });
  assert.deepEqual(answers, [undefined, undefined, world.clock.now()]);
  world.clock.time -= 3_600_000;
  answers.length = 0;
  await world.run({ pipeline: pipeline("list", "once", "act") });
  assert.equal(answers[0], undefined);
});

Deno.test("an item of which an event could not be queued leaves no keys; whether it can is asked each time", async () => {
  const list = listSource([event("a", {}, "1"), event("a", {}, "2"), event("a", {}, "3")]);
  const answers = [false, true];
  const asked: (number | undefined)[] = [];
  const once = eventStage("once", {
    async *plan(_item, ctx): AsyncIterable<Plan> {
      const at = await ctx.seen("k");
      asked.push(at);
      yield at === undefined
        ? { kind: "todo", id: "k", summary: "k", data: null }
        : { kind: "drop", why: "it is known" };
    },
    apply: (_step, ctx) => Promise.resolve(ctx.remember("k", 60_000)),
  });
  const tell = eventStage("tell", {
    apply: async (_step, ctx) => void await ctx.emit({ event: "fusion_error", data: null }),
  });
  await using world = await World.open({ plugins: [list.plugin, once, tell] });
  const report = await world.run({
    pipeline: pipeline("list", "once", "tell"),
    queueEvents: () => Promise.resolve(answers.shift() ?? true),
  });
  assert.deepEqual(asked, [undefined, undefined, world.clock.now()]);
  assert.deepEqual(outcomes(report).map(([, outcome]) => outcome), ["done", "done", "dropped"]);
  assert.equal((await world.journal.outbox.pending()).length, 1);
});

Deno.test("emit() queues no secret of what a stage tells", async () => {
  const tell = eventStage("tell", {
    apply: async (_step, ctx) => void await ctx.emit({ event: "told", data: { n: 1, said: ["hunter22 is it", null] } }),
  });
  await using world = await World.open({
    plugins: [listSource([event("a")]).plugin, tell],
    config: "[notify]\nenabled = true\n",
  });
  const report = await world.run({
    pipeline: pipeline("list", "tell"),
    wrap: (services) => ({ ...services, hidden: (text) => text.replaceAll("hunter22", "***") }),
  });
  assert.equal(report.exit_code, 0);
  const [queued] = await world.journal.outbox.pending();
  assert.deepEqual(queued.data, { n: 1, said: ["*** is it", null] });
});
