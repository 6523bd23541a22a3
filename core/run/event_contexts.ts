/**
 * The contexts of event stages and event sources. As for trees, those of `plan` and `items` can only look, by type and
 * at run time: the item's data is frozen, and what acts is not there.
 * @module
 */
import type { Item, Json, Notifier, Todo } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { emitEvent } from "../events/events.ts";
import { followFiles } from "../io/followed_files.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import type {
  EventAckContext,
  EventReadContext,
  EventSourceContext,
  EventWriteContext,
  ItemFailure,
  RunContext,
} from "../ports.ts";
import type { EventItem } from "./event_item.ts";
import { execPinned } from "./pinned_exec.ts";
import type { EngineServices, RunRequest } from "./services.ts";

/** What the engine holds for one run over events. */
export interface EventRun {
  request: RunRequest;
  services: EngineServices;
  context: RunContext;
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
    signal,
    log: services.log,
    clock: services.clock,
    item: item.view,
    dryRun: request.dryRun,
    force: force === true || force === stage.id,
    stage: stage.id,
    failure,
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

export function eventWriteContext(make: EventContextFor, step: Todo): EventWriteContext {
  const { run, item, stage, signal } = make;
  const { services, request } = run;
  return {
    ...eventReadContext(make),
    amend: (data) => item.amend(data),
    remember: (key, keepMs, options) => item.remember(key, keepMs, options),
    async emit({ event, data, key }) {
      const at = services.clock.now();
      const id = await emitEvent(services.journal.outbox, { event, at, data }, {
        enabled: await request.queueEvents?.() ?? request.config.notify?.enabled === true,
        key: key ?? `${request.compiled.name}:${item.view.id}:${stage.id}:${step.id}`,
      });
      if (id === undefined) item.isUntold = true;
      return id !== undefined;
    },
    notifier: (name, options) => run.notifier(name, options),
    exec: (options) => execPinned(services, options, signal),
    checkpoint: (value) => services.journal.steps.checkpoint(scopeOf(run, item.view), stage.id, step.id, value),
  };
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

/** How long a claim of a source stands without being renewed, in ms. */
const CLAIM_MS = 60_000;

/** A process that began this much later than the claim is another one; clocks are not finer, in ms. */
const START_SLACK_MS = 5_000;

/** What a source of events is given, and the claims it has. */
export function eventSourceContexts(
  run: EventRun,
  signal: AbortSignal,
): { items: EventSourceContext; ack: EventAckContext; claims: { renew(): Promise<void>; release(): Promise<void> } } {
  const { services, context, request } = run;
  const { journal, clock } = services;
  const held = new Set<string>();
  const since = new Date(clock.now()).toISOString();
  const self = JSON.stringify({ host: services.host, pid: Deno.pid, since, run: context.runId });
  const name = (given: string) => `${request.compiled.name}:${given}`;
  const lease = () => ({ now: clock.now(), ms: CLAIM_MS });
  const items: EventSourceContext = {
    run: context,
    signal,
    log: services.log,
    clock,
    dryRun: request.dryRun,
    pending: () => journal.outbox.pending(),
    files: followFiles(services.fs),
    cursor: (key) => journal.cursors.get(name(key)),
    async claim(key) {
      // The claims of a dry run are made in its own copy of the journal.
      const take = () => journal.claims.claim(name(key), self, lease());
      if (!await take() && !(await isLeftBehind(services, name(key)) && await take())) return false;
      held.add(name(key));
      return true;
    },
  };
  return {
    items,
    ack: {
      ...items,
      markSent: (id) => journal.outbox.markSent(id, new Date(clock.now()).toISOString()),
      setCursor: (key, value) => journal.cursors.set(name(key), value),
    },
    claims: {
      async renew() {
        for (const claim of held) {
          if (await journal.claims.heartbeat(claim, self, lease())) continue;
          throw new PipelineError("run/claim-lost", `Cannot go on with "${claim}": another run has taken it over`, {
            stopsRun: 1,
            hint: "This run was suspended for over a minute. What it did not finish is done by the other run.",
          });
        }
      },
      async release() {
        for (const claim of held) await journal.claims.release(claim, self);
      },
    },
  };
}

/** Whether a claim is that of a process of this host that is no more; it is then free again. */
async function isLeftBehind({ journal, processes, host }: EngineServices, name: string): Promise<boolean> {
  const holder = await journal.claims.holder(name);
  if (holder === undefined) return true;
  let given: { host?: unknown; pid?: unknown; since?: unknown };
  try {
    given = JSON.parse(holder) ?? {};
  } catch {
    return false; // whoever it is, it lapses
  }
  if (given.host !== host || typeof given.pid !== "number" || given.pid === Deno.pid) return false;
  const { alive, startedAtMs = -Infinity } = await processes.isAlive(given.pid);
  // A process that began after the claim was made, as after a restart of the machine, only bears the same number.
  if (alive && !(startedAtMs > Date.parse(String(given.since)) + START_SLACK_MS)) return false;
  await journal.claims.release(name, holder);
  return true;
}

async function readTextIfThere({ fs }: EngineServices, path: string): Promise<string | undefined> {
  try {
    return await fs.readText(path);
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw ioError(cause, { verb: "read", path });
  }
}
