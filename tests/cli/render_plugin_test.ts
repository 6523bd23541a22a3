import assert from "node:assert/strict";
import { optionsOf } from "../../cli/render_plugin.ts";
import { defineStage } from "../../core/contract.ts";
import { pattern, z } from "../../core/options.ts";

Deno.test("optionsOf() names the kind of an option that JSON has no word for", () => {
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Looks.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({
      big: z.bigint(),
      day: z.date(),
      own: z.custom<string>(() => true),
      match: pattern(),
      n: z.number(),
      free: z.unknown(),
    }),
    example: "",
    open: () => ({ async *plan() {}, apply: () => Promise.resolve() }),
  });
  const typeOf = (wanted: string) => optionsOf(plugin).find(({ name }) => name === wanted)?.type ?? "";
  assert.deepEqual(["big", "day", "own", "n", "free"].map(typeOf), [
    "bigint (of zod)",
    "date (of zod)",
    "custom (of zod)",
    "number",
    "any",
  ]);
  assert.doesNotMatch(typeOf("match"), /of zod/);
});
