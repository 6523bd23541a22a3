/** Stage `raise-event`: people are told of an item, or of each error found in it. @module */
import { createHash } from "node:crypto";
import { defineStage, EVENT_NAME, type Item, type Json } from "../core/contract.ts";
import { TIMESTAMP, z } from "../core/options.ts";
import { type Block, blocksIn } from "./_blocks.ts";

/** Longest error told in full, in characters; the log has all of it. */
const TEXT_CHARS = 16_000;
/** Longest line that says what happened, in characters: it is the subject of a mail. */
const MESSAGE_CHARS = 1_000;

export const raiseEvent = defineStage({
  kind: "stage",
  name: "raise-event",
  summary:
    "Puts an event into the outbox, of which the notify pipeline tells people: one for each error of a log, or the item itself.",
  takes: "event",
  effect: "create",
  resume: "redo",
  options: z.strictObject({
    event: z.string().regex(EVENT_NAME, "wanted lower-case letters, digits, - and _").meta({
      description: "Name of the event, and so of its list of recipients.",
      example: "fusion_error",
      event: "raises",
    }),
  }),
  example: `[[stage]]\nuse  = "raise-event"\nwith = { event = "fusion_error" }\n`,
  open: ({ event }) => ({
    async *plan(item, ctx) {
      if (item.data.blocks === undefined) {
        yield { kind: "todo", id: item.id, summary: `${event}: ${item.name}`, data: item.data };
        return;
      }
      for (const block of blocksIn(item.data)) {
        const details = detailsOf(block, { log: item.data.log, host: ctx.run.host });
        yield { kind: "todo", id: eventKey(item, block), summary: `${event}: ${details.message}`, data: details };
      }
    },
    // Two events of one item are two, and a repetition of the run is none.
    async apply(step, ctx) {
      await ctx.emit({ event, data: step.data, key: `${event}:${step.id}` });
    },
  }),
});

/** The same for the same error of the same file, wherever the log was cut into items, and while its end is written. */
export function eventKey(item: Pick<Item, "data">, { at, nth, text }: Block): string {
  const [first] = text.split("\n");
  return createHash("sha256").update(JSON.stringify([item.data.log, item.data.file, at, nth, first])).digest("hex");
}

function detailsOf(
  { at, text, found, repeats }: Block,
  { log, host }: { log: Json; host: string },
): { [key: string]: Json } & { message: string } {
  const [first] = text.split("\n");
  const stamp = new RegExp(TIMESTAMP).exec(first)?.[0];
  const message = first.replace(new RegExp(`\\[?${TIMESTAMP}\\]?`), " ").replace(/\s+/g, " ").trim();
  const left = text.length - TEXT_CHARS;
  return {
    ...found,
    message: shortened(message === "" ? first : message),
    ...stamp === undefined ? {} : { at: stamp },
    text: left > 0 ? `${text.slice(0, TEXT_CHARS)}\n… ${left} more characters` : text,
    log,
    offset: at,
    ...repeats === undefined ? {} : { repeats },
    host,
  };
}

/** No longer than a message may be, and no character cut in two. */
function shortened(message: string): string {
  if (message.length <= MESSAGE_CHARS) return message;
  return `${message.slice(0, MESSAGE_CHARS - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
