import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import type { DestroyRules, WriteContext } from "../../../core/ports.ts";
import { atLeast } from "../../../core/run/contexts.ts";
import { ItemSession } from "../../../core/run/item_session.ts";
import { BACKUP, NAS_ROOT, World } from "../../../testing/world.ts";
import { freeingStage, ownStage } from "../../kit/own_stage.ts";

const rulesOf = (places: number): DestroyRules => ({ place: "source", places, recheck: "identity" });

Deno.test("atLeast() never asks for fewer places than lint judged by, nor for none", () => {
  const table: [given: number, declared: number | undefined, wanted: number][] = [
    [2, 2, 2],
    [3, 2, 3],
    [1, 2, 2],
    [-5, 2, 2],
    [0, undefined, 1],
    [-5, -3, 1],
  ];
  for (const [given, declared, wanted] of table) {
    const rules = rulesOf(given);
    const asked = atLeast(rules, declared);
    assert.deepEqual(asked, rulesOf(wanted), `${given} ${declared}`);
    assert.notEqual(asked, rules, "a copy: the stage may keep its own");
  }
  for (const places of [NaN, 1.5, Infinity, "2"]) {
    assert.throws(() => atLeast(rulesOf(places as number), 2), RangeError, String(places));
  }
});

Deno.test("what a stage asks of a destroy comes to the engine with at least the places it declares", async () => {
  const plugin = freeingStage(rulesOf(-5));
  const asked: number[] = [];
  const { destroy, finishDestroy } = ItemSession.prototype;
  ItemSession.prototype.destroy = function (batch, about) {
    asked.push(about.rules.places);
    return destroy.call(this, batch, about);
  };
  ItemSession.prototype.finishDestroy = function (rules, about) {
    asked.push(rules.places);
    return finishDestroy.call(this, rules, about);
  };
  try {
    await using world = await World.open({ plugins: [plugin] });
    world.study("study1", { "a.txt": "alpha" });
    const { items } = await world.run({ pipeline: BACKUP.replace(/use\s*= "delete"\nwith.*/, 'use = "own"') });
    assert.deepEqual([items[0].outcome, asked], ["done", [2, 2]], JSON.stringify(items[0].error));
  } finally {
    Object.assign(ItemSession.prototype, { destroy, finishDestroy });
  }
});

const ACTS: Record<string, (ctx: WriteContext) => Promise<unknown>> = {
  "write()": (ctx) => ctx.place("truenas").write([]),
  "seal()": (ctx) => ctx.place("truenas").seal(),
  "lock()": (ctx) => ctx.lock(),
  "record()": (ctx) => ctx.record("failed"),
  "exec()": (ctx) => ctx.exec({ argv: ["touch", "x"] }),
  "destroy()": (ctx) => ctx.destroy({ id: "", summary: "", files: [], bytes: 0 }, rulesOf(1)),
  "finishDestroy()": (ctx) => ctx.finishDestroy(rulesOf(1)),
};

/** What the acts of a stage of this effect end with, by name; all that it may do it does within a backup. */
async function refusals(effect: AnyStage["effect"]): Promise<string[]> {
  const refused: string[] = [];
  const plugin = ownStage(async (ctx) => {
    for (const [name, act] of Object.entries(ACTS)) {
      // What else is wrong with the acts does not matter here.
      const error = await act(ctx).catch((error) => error);
      if (!(error instanceof PipelineError) || error.code !== "stage/effect") continue;
      refused.push(name);
      const wanted = name.includes("estroy") ? '"destroy"' : '"create" or more';
      assert.equal(error.message, `Cannot do ${name} for stage "own": its effect is "${effect}", wanted ${wanted}`);
    }
    await ctx.place("truenas").prove([]);
    await ctx.place("truenas").enumerate();
  }, { effect });
  await using world = await World.open({ plugins: [plugin] });
  world.study("study1", { "a.txt": "alpha" });
  const pipeline = BACKUP.replace('[[stage]]\nuse  = "verify"', '[[stage]]\nuse = "own"\n[[stage]]\nuse  = "verify"');
  assert.notEqual(pipeline, BACKUP);
  const { items } = await world.run({ pipeline });
  assert.equal(items[0].stages.find(({ id }) => id === "own")?.outcome, "done", JSON.stringify(items[0].error));
  return refused;
}

Deno.test("the ports hold a stage to its effect: what reads may look and prove, and only a destroy removes", async () => {
  assert.deepEqual(await refusals("read"), Object.keys(ACTS));
  assert.deepEqual(await refusals("create"), ["destroy()", "finishDestroy()"]);
});

Deno.test("no stage can copy the engine's lock to a place", async () => {
  const said: unknown[] = [];
  const plugin = ownStage(async (ctx) => {
    const lock = { path: ".labferry.lock", size: 1, mtimeMs: null };
    said.push(await ctx.place("truenas").write([lock]).catch(({ code }) => code));
  });
  await using world = await World.open({ plugins: [plugin] });
  world.study("study1", { "a.txt": "alpha" });
  const before = BACKUP.slice(0, BACKUP.indexOf('[[stage]]\nuse  = "verify"'));
  await world.run({ pipeline: `${before}[[stage]]\nuse = "own"\n` });
  assert.deepEqual(said, ["stage/own-name"]);
  assert.deepEqual(Object.keys(world.files(NAS_ROOT)).filter((path) => path.endsWith(".lock")), []);
});

Deno.test("what a stage keeps of its contexts neither looks nor acts once the stage has ended", async () => {
  const kept: [string, () => unknown][] = [];
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Keeps.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: () => ({
      async *plan(_item, ctx) {
        kept.push(["evidence of plan", () => ctx.evidence.totals("truenas")], [
          "place of plan",
          () => ctx.place("truenas"),
        ]);
        yield { kind: "todo", id: "act", summary: "act", data: null };
      },
      async apply(_step, ctx) {
        const place = ctx.place("truenas");
        kept.push(
          ["walk", () => ctx.source.walk()],
          ["list", () => ctx.evidence.list("truenas")],
          ["ledger", () => ctx.ledger()],
          ["checkpoint", () => ctx.readCheckpoint()],
          ["sealed", () => place.isSealed()],
          ["prove", () => place.prove([])],
        );
        for (const [, act] of kept) await act();
      },
    }),
  }) as AnyStage;
  await using world = await World.open({ plugins: [plugin] });
  world.study("study1", { "a.txt": "alpha" });
  const before = BACKUP.slice(0, BACKUP.indexOf('[[stage]]\nuse  = "verify"'));
  const { items } = await world.run({ pipeline: `${before}[[stage]]\nuse = "own"\n` });
  assert.equal(items[0].outcome, "done", JSON.stringify(items[0].error));
  assert.equal(kept.length, 8);
  for (const [what, act] of kept) {
    await assert.rejects(async () => await act(), { code: "plugins/stage-over" }, what);
  }
});
