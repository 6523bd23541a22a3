/** Stage `notify`: hands a message to a notifier, once for each recipient. @module */
import { type Attachment, defineStage, type Item, type Json, type Message } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { z } from "../core/options.ts";
import type { EventReadContext } from "../core/ports.ts";

/** After a server was away, no further event is tried for this long, in ms. */
const AWAY_MS = 30_000;

const HOUR_MS = 3_600_000;
/** How long (ms) a message that was refused for good rests before it is tried again; behind the last, it is given up. */
const RESTS_MS = [0, HOUR_MS / 6, HOUR_MS, 24 * HOUR_MS];

export const notify = defineStage({
  kind: "stage",
  name: "notify",
  summary: "Delivers a message through a notifier; what the server took is never sent again to the same recipient.",
  takes: "event",
  effect: "create",
  resume: "skip-finished",
  options: z.strictObject({
    via: z.string().default("email").meta({ description: "Name of the notifier.", plugin: "notifier" }),
    options: z.record(z.string(), z.json()).default({}).meta({ description: "Options of the notifier." }),
  }),
  example: `[[stage]]\nuse  = "notify"\nwith = { via = "email" }\n`,
  goesOn: concernsMessage,
  failsApart: true,
  uses: ({ via, options }) => [{ kind: "notifier", name: via, options, at: ["options"] }],
  open({ via, options }) {
    let away: { since: number; why: string } | undefined;
    /** Whether a server took or refused anything in this run, and so is not away. */
    let hasAnswered = false;
    /** Steps that got no answer, for the second time: the servers are tried with another before they count as away. */
    const silent = new Set<string>();
    const toldLast = async (to: string[], ctx: EventReadContext) => {
      const wait = await Promise.all(to.map(async (address) => {
        const id = stepId(via, address);
        return silent.has(id) || (await ctx.saved(id) as Unsent | undefined)?.unanswered !== undefined;
      }));
      return [...to.filter((_, at) => !wait[at]), ...to.filter((_, at) => wait[at])];
    };
    return {
      async *plan(item, ctx) {
        const now = ctx.clock.now();
        if (away && now >= away.since && now - away.since < AWAY_MS) {
          yield { kind: "wait", why: `the last delivery failed: ${away.why}`, until: away.since + AWAY_MS };
          return;
        }
        const { subject } = wordsOf(item);
        if (!ctx.addressed(via)) {
          yield { kind: "todo", id: via, summary: `send "${subject}" by ${via}`, data: { to: "" } };
          return;
        }
        const named = Array.isArray(item.data.to) ? item.data.to.map(String) : [];
        if (named.length === 0) throw missing("recipients", "to");
        // Whoever is named twice, by a stage of one's own, is told once.
        const to = [...Map.groupBy(named, (address) => stepId(via, address)).values()].map(([first]) => first);
        // Who holds the server up does not hold up the others.
        for (const address of await toldLast(to, ctx)) {
          const summary = `send "${subject}" by ${via} to ${address}`;
          yield { kind: "todo", id: stepId(via, address), summary, data: { to: address } };
        }
      },
      async apply(step, ctx) {
        const { to } = step.data;
        const before = await ctx.saved(step.id) as Unsent | undefined;
        if (before !== undefined && !ctx.force) expectDue(before, ctx.clock.now());
        if (silent.has(step.id) && !ctx.force) throw deferred(`No server answered a message to ${to} a moment ago`);
        try {
          const notifier = await ctx.notifier(via, options);
          await notifier.deliver({ ...messageOf(ctx.item), ...to === "" ? {} : { to } }, ctx.signal);
          away = undefined;
          hasAnswered = true;
        } catch (error) {
          const known = error instanceof PipelineError ? error : undefined;
          const now = ctx.clock.now();
          if (known && concernsMessage(known)) hasAnswered = true;
          if (known?.code === "notify/refused") {
            const again = { ...before, count: (before?.count ?? 0) + 1, at: now, words: known.message };
            if (again.count > RESTS_MS.length) {
              ctx.log.warn(`${known.message}; it was refused ${again.count} times and is given up`);
              return;
            }
            await ctx.checkpoint(again);
            throw error;
          }
          if (known && !concernsMessage(known) && !ctx.signal.aborted) {
            if (known.code === "notify/unreachable" && to !== "") {
              const unanswered = before?.unanswered ?? 0;
              const isRepeated = unanswered > 0 && (hasAnswered || silent.size === 0);
              // While nothing is answered at all, the address is not what is wrong: then it does not rest.
              const tries = unanswered > 0 && !hasAnswered ? unanswered : unanswered + 1;
              await ctx.checkpoint({ count: 0, ...before, unanswered: tries, at: now, words: known.message });
              if (isRepeated) {
                silent.add(step.id);
                throw deferred(known.message, known);
              }
            }
            away = { since: now, why: known.message };
          }
          throw error;
        }
      },
    };
  },
});

/** The idempotency key of one message to one recipient. */
function stepId(via: string, address: string): string {
  return `${via} ${address.toLowerCase()}`;
}

/** How often one message was refused for good, how often nothing was answered, when last (ms since 1970), in which words. */
type Unsent = { count: number; unanswered?: number; at: number; words: string };

function deferred(words: string, cause?: unknown): PipelineError {
  return new PipelineError("notify/deferred", words, {
    cause,
    hint: "The others are told meanwhile. Does the mail server look for the address elsewhere, and hang?",
  });
}

/** @throws {PipelineError} `notify/deferred` when what was refused is not to be tried again yet */
function expectDue({ count, unanswered = 0, at, words }: Unsent, now: number): void {
  const due = at + RESTS_MS[Math.min(Math.max(count, unanswered), RESTS_MS.length) - 1];
  // A clock that was set back holds nothing up.
  if (now >= due || now < at) return;
  throw new PipelineError("notify/deferred", `${words}; it is tried again after ${new Date(due).toISOString()}`, {
    hint: "Mend the address or the server. `labferry run notify --force` tries at once.",
  });
}

/** Whether a server refused this message to this recipient; anything else would befall the next one, too. */
function concernsMessage(error: PipelineError): boolean {
  return error.code === "notify/refused" || error.code === "notify/deferred";
}

function missing(stage: string, key: string): PipelineError {
  return new PipelineError("notify/nothing-to-send", `Cannot deliver the event: it has no "${key}"`, {
    hint: `Put a stage "${stage}" before "notify"`,
  });
}

function wordsOf({ data }: Item): { subject: string; text: string; html: string } {
  const { subject, text, html } = data;
  if (typeof subject !== "string") throw missing("render", "subject");
  return { subject, text: typeof text === "string" ? text : subject, html: typeof html === "string" ? html : "" };
}

function messageOf(item: Item): Message {
  const { event, at, details, attachments } = item.data;
  return {
    id: item.id,
    event: item.name,
    ...wordsOf(item),
    data: { event: event ?? item.name, at: at ?? null, details: details ?? null },
    ...Array.isArray(attachments) ? { attachments: attachments.filter(isAttachment) } : {},
  };
}

function isAttachment(value: Json): value is Json & Attachment {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  return [value.name, value.type, value.base64].every((part) => typeof part === "string");
}
