import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import type { DestroyRules } from "../../../core/ports.ts";
import { atLeast } from "../../../core/run/contexts.ts";
import { ItemSession } from "../../../core/run/item_session.ts";
import { BACKUP, World } from "../../../testing/world.ts";

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
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Frees.",
    takes: "tree",
    effect: "destroy",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    facts: () => ({ destroys: { place: "source", places: 2 } }),
    open: () => ({
      async *plan(_item, ctx) {
        for await (const batch of ctx.destroyBatches("source")) {
          yield { kind: "todo", id: batch.id, summary: "free", files: batch.files, data: null };
        }
        yield { kind: "todo", id: "end", summary: "end", alone: true, data: null };
      },
      async apply({ id, files = [] }, ctx) {
        if (id === "end") await ctx.finishDestroy(rulesOf(-5));
        else await ctx.destroy({ id, summary: "", files: [...files], bytes: 0 }, rulesOf(-5));
      },
    }),
  }) as AnyStage;
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
