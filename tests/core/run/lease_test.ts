import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import type { WriteContext } from "../../../core/ports.ts";
import { Lease } from "../../../core/run/lease.ts";
import { BACKUP, World } from "../../../testing/world.ts";

const ENDING = { signal: new AbortController().signal, ms: 0, onLeft: () => {} };

Deno.test("Lease lends until it ends, and ends when what is under way has", async () => {
  const lease = new Lease("own");
  const { promise, resolve } = Promise.withResolvers<void>();
  const log: string[] = [];
  const act = lease.lend("write()", async (name: string) => {
    await promise;
    log.push(name);
  });
  const forgotten = act("forgotten");
  const ended = lease.end(ENDING).then(() => log.push("ended"));
  await assert.rejects(act("late"), {
    code: "plugins/stage-over",
    message: 'Cannot do write() for stage "own": the stage has ended for this item, wanted within its apply',
  });
  resolve();
  await Promise.all([forgotten, ended]);
  assert.deepEqual(log, ["forgotten", "ended"]);
});

function own(more: Partial<AnyStage>, apply: (ctx: WriteContext) => Promise<void>): AnyStage {
  return defineStage({
    kind: "stage",
    name: "own",
    summary: "Own.",
    takes: "tree",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: () => ({
      async *plan() {
        yield { kind: "todo", id: "own", summary: "own", data: null };
      },
      apply: (_step: unknown, ctx: WriteContext) => apply(ctx),
    }),
    ...more,
  } as AnyStage);
}

Deno.test("what a stage keeps of its context acts no more once the stage has ended", async () => {
  let kept: WriteContext | undefined;
  let place: ReturnType<WriteContext["place"]> | undefined;
  await using world = await World.open({
    plugins: [own({}, (ctx) => {
      kept = ctx;
      place = ctx.place("truenas");
      return Promise.resolve();
    })],
  });
  world.study("study1", { "a.txt": "alpha" });
  const refused: unknown[] = [];
  await world.run({
    pipeline: BACKUP.replace("[[stage]]", '[[stage]]\nuse = "own"\n[[stage]]'),
    progress: {
      stageStarted: (_item, id) => {
        if (id !== "verify" || !kept || !place) return;
        const rules = { place: "source", places: 2, recheck: "identity" as const };
        const acts = [kept.lock(), kept.record("complete"), kept.exec({ argv: ["x"] } as never), kept.checkpoint(1)];
        acts.push(kept.finishDestroy(rules), place.seal(), place.write([]), kept.place("truenas").prove([]) as never);
        for (const act of acts) act.catch((error) => refused.push(error.code));
      },
    },
  });
  assert.deepEqual(refused, new Array(8).fill("plugins/stage-over"));
});

Deno.test("Lease.end() leaves behind an act that does not end when it is told to", async () => {
  const lease = new Lease("own");
  void lease.lend("write", () => new Promise<void>(() => {}))().catch(() => {});
  const left: Promise<void>[] = [];
  await lease.end({ signal: AbortSignal.abort(), ms: 1, onLeft: (acts) => void left.push(acts) });
  assert.equal(left.length, 1);
});
