import assert from "node:assert/strict";
import type { AnyNotifier } from "../../../core/contract.ts";
import type { EventWriteContext } from "../../../core/ports.ts";
import { boxNotifier, event, eventStage, listSource, message } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

const PIPELINE = `name = "e"\n[source]\nuse = "list"\n[[stage]]\nuse = "raise"\n`;

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await Deno.lstat(".");
};

Deno.test("what a stage of events does not wait for is waited for, and what it emits is queued", async () => {
  const list = listSource([event("a")]);
  const box = boxNotifier({ addressed: false, onDeliver: () => turns(3) });
  const raise = eventStage("raise", {
    async apply(_step, ctx: EventWriteContext) {
      const notifier = await ctx.notifier("box", {});
      void ctx.emit({ event: "backup_failure", data: { message: "x" } });
      void notifier.deliver(message(), ctx.signal);
      void ctx.exec({ argv: ["x"] } as never);
    },
  });
  await using world = await World.open({ plugins: [list.plugin, raise, box.plugin] });
  let ran = 0;
  world.onExec = async () => {
    await turns(3);
    ran++;
  };
  const report = await world.run({
    pipeline: PIPELINE,
    queueEvents: async () => {
      await turns(3);
      return true;
    },
  });
  assert.equal(report.exit_code, 0);
  assert.deepEqual((await world.journal.outbox.pending()).map(({ event }) => event), ["backup_failure"]);
  assert.deepEqual([box.delivered.length, ran], [1, 1]);
});

Deno.test("what a stage of events did not wait for fails it, and no event comes after", async () => {
  const list = listSource([event("a"), event("b")]);
  const raise = eventStage("raise", {
    apply(_step, ctx: EventWriteContext) {
      if (ctx.item.name === "a") void ctx.exec({ argv: ["x"] } as never);
      return Promise.resolve();
    },
  });
  await using world = await World.open({ plugins: [list.plugin, raise] });
  world.onExec = () => turns(1).then(() => Promise.reject(new Error("no such program")));
  const report = await world.run({ pipeline: PIPELINE });
  assert.deepEqual(list.acked, [["a", "failed"], ["b", "done"]]);
  assert.match(report.items[0].error?.message ?? "", /no such program/);
});

Deno.test("what a stage of events keeps of its context acts no more once the stage has ended", async () => {
  const list = listSource([event("a")]);
  let kept: EventWriteContext | undefined;
  const raise = eventStage("raise", { apply: (_step, ctx: EventWriteContext) => Promise.resolve(void (kept = ctx)) });
  const refused: unknown[] = [];
  const next = eventStage("next", {
    async apply() {
      const acts = [
        () => kept!.emit({ event: "backup_failure", data: {} }),
        () => kept!.exec({ argv: ["x"] } as never),
        () => kept!.checkpoint(1),
        () => kept!.notifier("box", {}),
        () => kept!.amend({ late: true }),
        () => kept!.remember("late", 1),
      ];
      for (const act of acts) await Promise.resolve().then(act).catch((error) => refused.push(error.code));
    },
  });
  await using world = await World.open({ plugins: [list.plugin, raise, next] });
  await world.run({ pipeline: `${PIPELINE}[[stage]]\nuse = "next"\n` });
  assert.deepEqual(refused, new Array(6).fill("plugins/stage-over"));
});

Deno.test("a notifier that opens only when the run has ended is disposed of", async () => {
  const list = listSource([event("a")]);
  const opens = Promise.withResolvers<void>(), disposed = Promise.withResolvers<void>();
  const { plugin } = boxNotifier({ addressed: false });
  const box: AnyNotifier = {
    ...plugin,
    async open(options, context) {
      await opens.promise;
      const opened = await plugin.open(options, context);
      return { ...opened, [Symbol.asyncDispose]: () => Promise.resolve(disposed.resolve()) };
    },
  };
  const raise = eventStage("raise", {
    async apply(_step, ctx: EventWriteContext) {
      await ctx.notifier("box", {});
    },
  });
  await using world = await World.open({ plugins: [list.plugin, raise, box] });
  const report = await world.run({ pipeline: `${PIPELINE}timeout = "5ms"\n`, deadlines: { leaveMs: 0 } });
  assert.equal(report.items[0].error?.code, "run/timeout");
  opens.resolve();
  await disposed.promise;
});

const ACTS: Record<string, (ctx: EventWriteContext) => Promise<unknown>> = {
  "emit()": (ctx) => ctx.emit({ event: "own_event", data: {} }),
  "notifier()": (ctx) => ctx.notifier("email", {}),
  "exec()": (ctx) => ctx.exec({ argv: ["touch", "x"] }),
};

for (const [name, act] of Object.entries(ACTS)) {
  Deno.test(`a stage of events that says that it only reads is refused ${name}`, async () => {
    const own = eventStage("own", { apply: async (_step, ctx) => void await act(ctx) }, { effect: "read" });
    await using world = await World.open({ plugins: [listSource([event("a")]).plugin, own] });
    const pipeline = 'name = "events"\n[source]\nuse = "list"\n[[stage]]\nuse = "own"\n';
    const { error } = (await world.run({ pipeline })).items[0];
    assert.deepEqual([error?.code, error?.message], [
      "stage/effect",
      `Cannot do ${name} for stage "own": its effect is "read", wanted "create" or more`,
    ]);
  });
}

for (
  const [name, act] of Object.entries<(ctx: EventWriteContext) => unknown>({
    "emit()": (ctx) => void ctx.emit({ event: "own_event", data: { act: () => 1 } as never }),
    "exec()": (ctx) => void ctx.exec("ls" as never),
    "checkpoint()": (ctx) => void ctx.checkpoint(undefined as never),
    "amend()": (ctx) => ctx.amend({ at: () => 1 } as never),
  })
) {
  Deno.test(`a stage of events that gives ${name} what it cannot take is told so, also where it does not wait`, async () => {
    const own = eventStage("own", { apply: (_step, ctx) => Promise.resolve(void act(ctx)) });
    await using world = await World.open({ plugins: [listSource([event("a")]).plugin, own] });
    const pipeline = 'name = "events"\n[source]\nuse = "list"\n[[stage]]\nuse = "own"\n';
    const { error } = (await world.run({ pipeline })).items[0];
    assert.equal(error?.code, "stage/bad-argument");
    assert.ok(error.message.startsWith(`Cannot do ${name} for stage "own": `), error.message);
  });
}
