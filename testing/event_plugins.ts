/** Sources and stages of events for tests: a list of items, an endless queue, and a stage made of functions. */
import type {
  AnyNotifier,
  AnySource,
  AnyStage,
  Item,
  ItemOutcome,
  Json,
  Message,
  NotifierContext,
  Plan,
  StageRun,
} from "../core/contract.ts";
import { defineNotifier, defineSource, defineStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { instantClock, memoryLog } from "./doubles.ts";
import type { EventAckContext, EventReadContext, EventSourceContext, EventWriteContext } from "../core/ports.ts";

export function event(name: string, data: { [key: string]: Json } = {}, id = name): Item {
  return { id, name, kind: "event", data };
}

export interface ListSource {
  plugin: AnySource;
  acked: [string, ItemOutcome][];
  /** How often an item was pulled. */
  pulled: number;
}

/** A finite source `list` of these items. */
export function listSource(
  items: readonly Item[],
  more: { onAck?: (item: Item, ctx: EventAckContext) => Promise<void>; claim?: string } = {},
): ListSource {
  const list: ListSource = {
    acked: [],
    pulled: 0,
    plugin: defineSource({
      kind: "source",
      name: "list",
      summary: "A list.",
      yields: "event",
      endless: false,
      options: z.strictObject({}),
      example: "",
      open: () => ({
        async *items(ctx: EventSourceContext) {
          if (more.claim !== undefined && !await ctx.claim(more.claim)) return;
          for (const item of items) {
            list.pulled++;
            yield item;
          }
        },
        async ack(item: Item, outcome: ItemOutcome, ctx: EventAckContext) {
          list.acked.push([item.id, outcome]);
          await more.onAck?.(item, ctx);
        },
      }),
    }),
  };
  return list;
}

/** An endless source `queue`: gives what is pushed, and waits for more. */
export function queueSource(options: { deaf?: boolean } = {}) {
  const waiting: Item[] = [];
  let wake = () => {};
  const acked: [string, ItemOutcome][] = [];
  const plugin: AnySource = defineSource({
    kind: "source",
    name: "queue",
    summary: "A queue.",
    yields: "event",
    endless: true,
    options: z.strictObject({}),
    example: "",
    open: () => ({
      async *items(ctx: EventSourceContext) {
        for (;;) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          if (!options.deaf) ctx.signal.addEventListener("abort", () => resolve(), { once: true });
          if (waiting.length === 0) await promise;
          if (ctx.signal.aborted) return;
          const next = waiting.shift();
          if (next) yield next;
        }
      },
      ack(item: Item, outcome: ItemOutcome) {
        acked.push([item.id, outcome]);
        return Promise.resolve();
      },
    }),
  });
  return {
    plugin,
    acked,
    push(item: Item) {
      waiting.push(item);
      wake();
    },
  };
}

/** A stage of events made of two functions. Without a plan, it has one step. */
export function eventStage(
  name: string,
  run: {
    plan?: (item: Item, ctx: EventReadContext) => AsyncIterable<Plan>;
    apply?: StageRun<Json, "event">["apply"];
  },
  more: Partial<AnyStage> = {},
): AnyStage {
  return defineStage({
    kind: "stage",
    name,
    summary: `${name}.`,
    takes: "event",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: (): StageRun<Json, "event"> => ({
      async *plan() {
        yield { kind: "todo", id: "one", summary: name, data: null };
      },
      apply: (_step: unknown, _ctx: EventWriteContext) => Promise.resolve(),
      ...run,
    }),
    ...more,
  } as AnyStage);
}

/** A notifier `box` that keeps what it is given; `onDeliver` may refuse. */
export function boxNotifier(
  options: { addressed?: boolean; onDeliver?: (message: Message, signal: AbortSignal) => void | Promise<void> } = {},
) {
  const delivered: Message[] = [];
  const plugin: AnyNotifier = defineNotifier({
    kind: "notifier",
    name: "box",
    summary: "Keeps messages.",
    addressed: options.addressed ?? true,
    options: z.strictObject({ size: z.number().default(1) }),
    example: "",
    secrets: () => [],
    open: () => ({
      async deliver(message, signal) {
        await options.onDeliver?.(message, signal);
        delivered.push(message);
      },
    }),
  });
  return { plugin, delivered };
}

/** What a notifier is given, with these secrets and this `[notify.smtp]`. */
export function notifierContext(
  secrets: Readonly<Record<string, string>> = {},
  more: Partial<NotifierContext> & { smtp?: { [key: string]: Json } } = {},
): NotifierContext {
  return {
    config: { notify: { smtp: more.smtp ?? {} } },
    host: "instrument-1",
    secrets: { get: (name) => secrets[name], where: (name) => `LABFERRY_${name}` },
    log: memoryLog(),
    clock: instantClock(),
    readText: (path) => Deno.readTextFile(path),
    ...more,
  };
}

/** A message to somebody. */
export function message(more: Partial<Message> = {}): Message {
  return {
    id: "01J0000000000000000000000A",
    event: "backup_failure",
    subject: "[labferry] backup_failure on instrument-1: größer <1>",
    text: "What happened: größer <1>\n.\n",
    html: "<p>größer &lt;1&gt;</p>\n",
    to: "ops@lab.example",
    data: { event: "backup_failure", at: "2026-01-02T03:04:05.000Z", details: { exit_code: 1 } },
    ...more,
  };
}
