/** What the stages that remove a copy have in common. That a copy may go is the engine's to decide. @module */
import type { StageFacts, StageRun } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { SOURCE } from "../core/ports.ts";

/** `require`: what must hold before a file is removed. */
export function requireOption(example: { places: number }) {
  return z.strictObject({
    places: z.number().int().min(1).default(1).meta({
      description: "How many other places, in distinct domains, must hold every file proved.",
    }),
  }).prefault({}).meta({ description: "What must hold before a file is removed.", example });
}

interface Rules {
  require: { places: number };
  recheck: "identity" | "hash";
}

/** The facts of a stage that removes the item's files at its own place. */
export function destroyFacts({ require }: Rules): StageFacts {
  return { kills: [{ fact: "hashed" }], destroys: { place: SOURCE, places: require.places } };
}

/** What the steps are called, for people. */
interface Words {
  batch(summary: string): string;
  finish(name: string): string;
}

/** Removes batch by batch, then what held them. */
export function destroyRun({ require, recheck }: Rules, words: Words): StageRun<null, "folder"> {
  const rules = { place: SOURCE, places: require.places, recheck };
  return {
    async *plan(item, ctx) {
      for await (const { id, summary, files, bytes } of ctx.destroyBatches(SOURCE)) {
        yield { kind: "todo", id, summary: words.batch(summary), files, bytes, data: null };
      }
      yield { kind: "todo", id: "finish", alone: true, summary: words.finish(item.name), data: null };
    },
    async apply({ id, summary, files, bytes = 0 }, ctx) {
      if (files === undefined) await ctx.finishDestroy(rules);
      else await ctx.destroy({ id, summary, files: [...files], bytes }, rules);
    },
  };
}
