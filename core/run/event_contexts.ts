/**
 * The contexts of event stages and event sources. As for trees, those of `plan` and `items` can only look, by type and
 * at run time: the item's data is frozen, and what acts is not there.
 * @module
 */
import type { Item, Json, Notifier, Todo } from "../contract.ts";
import { toOutboxEvent } from "../events/events.ts";
import { tidyOutbox } from "../events/tidy_outbox.ts";
import { followFiles } from "../io/followed_files.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import type { OutboxEvent } from "../journal/journal.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import type {
  EventAckContext,
  EventReadContext,
  EventSourceContext,
  EventWriteContext,
  ItemFailure,
  RunContext,
} from "../ports.ts";
import type { Claims } from "./claims.ts";
import type { EventItem } from "./event_item.ts";
import { assertEffect } from "./effects.ts";
import { assertExec, assertJson } from "./given.ts";
import type { Acts } from "./lease.ts";
import type { Disposing } from "./left_behind.ts";
import { execPinned } from "./pinned_exec.ts";
import type { EngineServices, RunRequest } from "./services.ts";
import { failureView, notifierView, servicesView } from "./views.ts";

/** What the engine holds for one run over events. */
export interface EventRun {
  request: RunRequest;
  services: EngineServices;
  context: RunContext;
  claims: Claims;
  /** The run is to break off: somebody wants it to, or another run has taken over. */
  abort: AbortSignal;
  disposing: Disposing;
  /** Called at every step of an item: lets timers and signals have their turn, and renews the claims. */
  turn(): Promise<void>;
  /** Opens a notifier, once per run for the same options. */
  notifier(name: string, options: { [key: string]: Json }): Promise<Notifier>;
}

/** What a context is made for. */
export interface EventContextFor {
  run: EventRun;
  item: EventItem;
  stage: CompiledStage;
  signal: AbortSignal;
  failure?: ItemFailure;
}

export function eventReadContext({ run, item, stage, signal, failure }: EventContextFor): EventReadContext {
  const { request, services, context } = run;
  const { force } = request;
  return {
    run: context,
    ...servicesView(services, signal),
    item: item.view,
    dryRun: request.dryRun,
    force: force === true || force === stage.id,
    stage: stage.id,
    failure: failureView(failure),
    async seen(key) {
      const { seen, steps } = services.journal;
      const at = await seen.get(seenKey(run, key));
      if (at === undefined || at > services.clock.now()) return undefined;
      return await steps.isFinished(scopeOf(run, item.view), LEFT, key) ? undefined : at;
    },
    saved: (step) => services.journal.steps.readCheckpoint(scopeOf(run, item.view), stage.id, step),
    readText: (path) => readTextIfThere(services, path),
    addressed: (name) => services.registry.get("notifier", name).addressed,
  };
}

/** What `apply` is given; its acts are to be had as long as the lease. */
export function eventWriteContext(make: EventContextFor, step: Todo, acts: Acts): EventWriteContext {
  const { run, item, stage, signal } = make;
  const { services, request } = run;
  return {
    ...eventReadContext(make),
    amend: acts.lendSync("amend()", (data) => {
      assertJson({ name: "amend()", stage: stage.id }, data);
      item.amend(data);
    }),
    remember: acts.lendSync("remember()", (key, keepMs, options) => item.remember(key, keepMs, options)),
    emit: acts.lend(
      "emit()",
      async ({ event, data, key = `${request.compiled.name}:${item.view.id}:${stage.id}:${step.id}` }) => {
        assertEffect(stage.plugin, "emit()", "create");
        assertJson({ name: "emit()", stage: stage.id }, data);
        const queued = toOutboxEvent({
          event,
          at: services.clock.now(),
          data: withTexts(structuredClone(data), services.hidden ?? String),
        }, key);
        const isOn = await request.queueEvents?.() ?? request.config.notify?.enabled === true;
        if (isOn) item.emit(queued);
        else item.isUntold = true;
        return isOn;
      },
    ),
    notifier: acts.lend("notifier()", async (name, options) => {
      assertEffect(stage.plugin, "notifier()", "create");
      const notifier = notifierView(await run.notifier(name, options));
      const deliver = acts.lend(
        "deliver()",
        (...message: Parameters<Notifier["deliver"]>) => notifier.deliver(...message),
      );
      return Object.freeze({ deliver });
    }),
    exec: acts.lend("exec()", async (options) => {
      assertEffect(stage.plugin, "exec()", "create");
      assertExec({ name: "exec()", stage: stage.id }, options);
      await execPinned(services, options, signal);
    }),
    checkpoint: acts.lend("checkpoint()", async (value) => {
      assertJson({ name: "checkpoint()", stage: stage.id }, value);
      await services.journal.steps.checkpoint(scopeOf(run, item.view), stage.id, step.id, value);
    }),
  };
}

/** A copy of the data with its texts, not its names, as `change` returns them. */
function withTexts(data: Json, change: (text: string) => string): Json {
  if (typeof data === "string") return change(data);
  if (typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) return data.map((entry) => withTexts(entry, change));
  return Object.fromEntries(Object.entries(data).map(([name, entry]) => [name, withTexts(entry, change)]));
}

/** Under what the journal keeps the steps of an item: two pipelines may see one event. */
export function scopeOf({ request }: EventRun, item: Item): string {
  return `event:${request.compiled.name}:${item.id}`;
}

/** In place of a stage's id, beside the steps of an item: the keys it left itself, though it failed. */
export const LEFT = "(left)";

/** Under what the journal keeps a key that stages remember. */
export function seenKey({ request }: EventRun, key: string): string {
  return `${request.compiled.name}:${key}`;
}

/** What a source of events is given. */
export function eventSourceContexts(
  run: EventRun,
  signal: AbortSignal,
): { items: EventSourceContext; ack: EventAckContext } {
  const { services, context, request } = run;
  const { journal, clock } = services;
  const name = (given: string) => `${request.compiled.name}:${given}`;
  const items: EventSourceContext = {
    run: context,
    ...servicesView(services, signal),
    dryRun: request.dryRun,
    pending: () => pendingEvents(services),
    files: followFiles(services.fs),
    cursor: (key) => journal.cursors.get(name(key)),
    claim: (key) => run.claims.take(key),
  };
  return {
    items,
    ack: {
      ...items,
      markSent: (id) => journal.outbox.markSent(id, new Date(clock.now()).toISOString()),
      setCursor: (key, value) => journal.cursors.set(name(key), value),
    },
  };
}

/** How many events are in memory at a time. */
const EVENTS_AT_ONCE = 50;

async function* pendingEvents({ journal: { outbox }, clock, log }: EngineServices): AsyncGenerator<OutboxEvent> {
  // In a dry run, this is done to its own copy of the journal.
  await tidyOutbox(outbox, { now: clock.now(), log });
  let after: string | undefined;
  do {
    const page = await outbox.pending({ after, limit: EVENTS_AT_ONCE });
    yield* page;
    after = page.length < EVENTS_AT_ONCE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

async function readTextIfThere({ fs }: EngineServices, path: string): Promise<string | undefined> {
  try {
    return await fs.readText(path);
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw ioError(cause, { verb: "read", path });
  }
}
