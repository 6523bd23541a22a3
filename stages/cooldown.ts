/** Stage `cooldown`: one message of a kind within a time. @module */
import { createHash } from "node:crypto";
import { defineStage, type Item, type Json } from "../core/contract.ts";
import { duration, z } from "../core/options.ts";
import { seenWithin } from "./_repeats.ts";

export const cooldown = defineStage({
  kind: "stage",
  name: "cooldown",
  summary: "Lets one event of a kind pass within a time, and drops its repetitions.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    window: duration().meta({ description: "How long repetitions are dropped; 0s lets all pass.", unit: "ms" }),
    events: z.array(z.string().meta({ event: "hears" })).optional().meta({
      description: "Names of the events it is for; the default is all.",
      example: ["toolkit_error"],
    }),
    by: z.array(z.string().min(1)).default(["details.message"]).meta({
      description: "What makes two events alike, beside their name: paths into the data of the item.",
    }),
    chars: z.number().int().min(1).optional().meta({
      description: "How many characters of each value count; the default is all.",
      unit: "characters",
    }),
  }),
  example: `[[stage]]\nuse  = "cooldown"\n` +
    `with = { events = ["toolkit_error"], window = "\${notify.toolkit_error_cooldown_seconds}s" }\n`,
  open: (options) => ({
    async *plan(item, ctx) {
      const { window, events } = options;
      if (events !== undefined && !events.includes(item.name)) {
        yield { kind: "skip", why: `only ${events.join(", ")} cools down` };
        return;
      }
      if (window === 0) {
        yield { kind: "skip", why: "no cooldown is set" };
        return;
      }
      const key = keyOf(item, options);
      const last = await seenWithin(ctx, key, window);
      if (last !== undefined) {
        yield {
          kind: "drop",
          why: `one like it was told at ${new Date(last).toISOString()}, less than ${window / 1000} s ago`,
        };
        return;
      }
      yield { kind: "todo", id: key, summary: `tell, then stay silent for ${window / 1000} s`, data: { key } };
    },
    apply(step, ctx) {
      ctx.remember(step.data.key, options.window, { partly: true });
      return Promise.resolve();
    },
  }),
});

function keyOf(item: Item, { by, chars }: { by: readonly string[]; chars?: number }): string {
  const values = by.map((path) => {
    const value = valueAt(item.data, path);
    return chars !== undefined && typeof value === "string" ? [...value].slice(0, chars).join("") : value ?? null;
  });
  return createHash("sha256").update(JSON.stringify([item.name, values])).digest("hex");
}

function valueAt(data: Json, path: string): Json | undefined {
  let at: Json | undefined = data;
  for (const key of path.split(".")) {
    if (at === null || typeof at !== "object" || Array.isArray(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}
