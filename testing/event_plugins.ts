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

/**
 * Makes an item of a source of events. Default of `id`: its name.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { event } from "labferry/testing";
 *
 * assert.deepEqual(event("line 7", { level: "ERROR" }), {
 *   id: "line 7",
 *   name: "line 7",
 *   kind: "event",
 *   data: { level: "ERROR" },
 * });
 * ```
 */
export function event(name: string, data: { [key: string]: Json } = {}, id = name): Item {
  return { id, name, kind: "event", data };
}

/** A source of a list, and what became of it. */
export interface ListSource {
  /** The source, for `plugins`. */
  plugin: AnySource;
  /** Ids of items and how they ended, in order. */
  acked: [string, ItemOutcome][];
  /** How often an item was pulled. */
  pulled: number;
}

/**
 * A finite source `list` of these items; a function makes them anew for each run.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { event, eventStage, listSource, World } from "labferry/testing";
 *
 * const list = listSource([event("a"), event("b")]);
 * await using world = await World.open({ plugins: [list.plugin, eventStage("take", {})] });
 * await world.run({ pipeline: `name = "p"\n[source]\nuse = "list"\n[[stage]]\nuse = "take"\n` });
 * assert.deepEqual(list.acked, [["a", "done"], ["b", "done"]]);
 * ```
 */
export function listSource(
  items: readonly Item[] | (() => readonly Item[]),
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
          for (const item of typeof items === "function" ? items() : items) {
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

/** An endless source, and what became of its items. */
export interface QueueSource {
  /** The source, for `plugins`. */
  plugin: AnySource;
  /** Ids of items and how they ended, in order. */
  acked: [string, ItemOutcome][];
  /** Gives it the next item. */
  push(item: Item): void;
}

/**
 * An endless source `queue`: gives what is pushed, and waits for more.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { event, eventStage, queueSource, World } from "labferry/testing";
 *
 * const queue = queueSource();
 * const stop = new AbortController();
 * const taken: string[] = [];
 * const take = eventStage("take", {
 *   apply(_step, ctx) {
 *     taken.push(ctx.item.name);
 *     stop.abort();
 *     return Promise.resolve();
 *   },
 * });
 * queue.push(event("a"));
 * await using world = await World.open({ plugins: [queue.plugin, take] });
 * await world.run({
 *   pipeline: `name = "p"\n[source]\nuse = "queue"\n[[stage]]\nuse = "take"\n`,
 *   stop: stop.signal,
 *   abort: stop.signal,
 * });
 * assert.deepEqual(taken, ["a"]);
 * ```
 */
export function queueSource(options: { deaf?: boolean } = {}): QueueSource {
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

/**
 * A stage of events made of two functions. Without a plan, it has one step.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { event, eventStage, runStage } from "labferry/testing";
 *
 * const twice = eventStage("twice", {
 *   apply: (_step, ctx) => Promise.resolve(ctx.amend({ twice: 2 * Number(ctx.item.data.n) })),
 * });
 * const { data } = await runStage(twice, { events: [event("a", { n: 2 })] });
 * assert.deepEqual(data, [{ n: 2, twice: 4 }]);
 * ```
 */
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

/**
 * A notifier `box` that keeps what it is given; `onDeliver` may refuse.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { boxNotifier } from "labferry/testing";
 *
 * const { plugin, delivered } = boxNotifier({ addressed: false });
 * assert.equal(plugin.name, "box");
 * assert.deepEqual(delivered, []);
 * ```
 */
export function boxNotifier(
  options: { addressed?: boolean; onDeliver?: (message: Message, signal: AbortSignal) => void | Promise<void> } = {},
): { plugin: AnyNotifier; delivered: Message[] } {
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
