/**
 * Pipelines over events: the source is pulled one by one, each item goes through the stages, and the source is told what
 * became of it. An endless source runs until it is asked to stop.
 * @module
 */
import type { Item, Json, Notifier, SourceRun } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { ioError } from "../io/io_errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { notifierOptions } from "../pipeline/uses.ts";
import type { RunContext } from "../ports.ts";
import { Claims } from "./claims.ts";
import { eventSourceContexts, scopeOf } from "./event_contexts.ts";
import type { EventRun } from "./event_contexts.ts";
import { runEventItem } from "./event_item.ts";
import type { OpenEventStage, OpenEventStages } from "./event_item.ts";
import { deadlinesOf, signalBehind } from "./deadlines.ts";
import { disposeOf, disposeWith, type Disposing, disposingOf } from "./left_behind.ts";
import { openForRun } from "./opening.ts";
import type { ItemReport, RunReport } from "./report.ts";
import type { EngineServices, RunRequest } from "./services.ts";
import { turns } from "./turns.ts";
import { untilStopped } from "./until_stopped.ts";

/** Runs the items of a source of events. What an endless run did is told to `request.onItem` and not kept. */
export async function runEvents(
  request: RunRequest,
  services: EngineServices,
  { context, report }: { context: RunContext; report: RunReport },
): Promise<void> {
  const { compiled } = request;
  const { source } = compiled;
  assertRootless(request);
  await using stack = new AsyncDisposableStack();
  const claims = new Claims(services, { pipeline: compiled.name, runId: context.runId });
  stack.defer(() => claims.release());
  stack.use(claims.keep());
  // Whoever asks an endless run to stop waits for it: the step at work may finish, but not take its time.
  const { finishMs } = deadlinesOf(request);
  const overdue = source.plugin.endless ? [stack.use(signalBehind(request.stop, finishMs)).signal] : [];
  const abort = AbortSignal.any([request.abort, claims.lost, ...overdue]);
  const disposing = disposingOf(request, services.log);
  const turn = turns();
  const run: EventRun = {
    request,
    services,
    context,
    claims,
    abort,
    turn: async () => {
      await turn();
      await claims.renewDue();
    },
    disposing,
    notifier: notifiers(request, services, { stack, disposing }),
  };
  const stages = await openStages(run, stack);
  const opened = await openForRun(
    `source "${source.use}"`,
    () => source.plugin.open(source.options, context),
    { abort, stack, disposing },
  ) as SourceRun<"event">;
  const signal = AbortSignal.any([abort, request.stop]);
  const { items, ack } = eventSourceContexts(run, signal);
  for await (const item of untilStopped(opened.items(items), signal)) {
    if (request.only !== undefined && request.only !== item.name) continue;
    if (item.root !== undefined) throw new TypeError(`source "${source.use}" yielded an event with a root`);
    await claims.renew();
    const end = await runEventItem(run, item, stages);
    tell(request, report, end.report);
    // What became of the item is for the run to say that has taken over.
    claims.lost.throwIfAborted();
    if (!request.dryRun) {
      await opened.ack?.(item, end.report.outcome, ack);
      const comesAgain = end.report.outcome === "failed" || end.report.outcome === "waiting";
      if (!comesAgain) await services.journal.steps.remove(scopeOf(run, item));
    }
    if (end.stopsRun) throw end.stopsRun;
    if (signal.aborted) return;
  }
  claims.lost.throwIfAborted();
}

function tell(request: RunRequest, report: RunReport, item: ItemReport): void {
  request.onItem?.(item);
  if (!request.compiled.source.plugin.endless) report.items.push(item);
  else report.counts = { ...report.counts, [item.outcome]: (report.counts?.[item.outcome] ?? 0) + 1 };
}

/** Lint refuses stages that take trees; what is refused here could only be a mistake of a plugin's author. */
function assertRootless({ compiled }: RunRequest): void {
  const all = [...compiled.stages, ...compiled.onItemFailed];
  const wrong = all.find((stage) =>
    !["event", "any"].includes(stage.plugin.takes) || stage.facts.destroys || stage.plugin.usesLedger
  );
  if (wrong === undefined && compiled.places.length === 0) return;
  const id = wrong?.id ?? compiled.places[0].id;
  throw new PipelineError(
    "pipeline/wrong-item",
    `Cannot run stage "${id}" on events of source "${compiled.source.use}": it works on trees`,
    { stopsRun: 2 },
  );
}

function notifiers(
  request: RunRequest,
  services: EngineServices,
  { stack, disposing }: { stack: AsyncDisposableStack; disposing: Disposing },
): EventRun["notifier"] {
  const opened = new Map<string, Promise<Notifier>>();
  const open = async (name: string, options: { [key: string]: Json }): Promise<Notifier> => {
    const { fs, registry, host, log, clock, secrets } = services;
    const plugin = registry.get("notifier", name);
    const notifier = await plugin.open(notifierOptions(plugin, options, request.compiled.config), {
      config: request.config,
      host,
      log,
      clock,
      secrets: secrets ?? { get: () => undefined, where: (secret) => secret },
      readText: async (path) => {
        try {
          return await fs.readText(path);
        } catch (cause) {
          throw ioError(cause, { verb: "read", path });
        }
      },
    });
    // It may have opened only when the stage that asked for it was left behind, and the run has ended.
    await disposeWith(stack, () => disposeOf(`notifier "${name}"`, notifier, disposing));
    return notifier;
  };
  return (name, options) => {
    const key = JSON.stringify([name, options]);
    const known = opened.get(key) ?? open(name, options);
    opened.set(key, known);
    known.catch(() => opened.delete(key)); // a later item asks anew
    return known;
  };
}

async function openStages(run: EventRun, stack: AsyncDisposableStack): Promise<OpenEventStages> {
  const { compiled } = run.request;
  const until = { abort: run.abort, stack, disposing: run.disposing };
  const open = async (stage: CompiledStage): Promise<OpenEventStage> => {
    const { plugin, forItem } = stage;
    if (forItem) {
      const perItem = async (item: Item) => await plugin.open(forItem(item), run.context);
      return { compiled: stage, perItem: true, open: perItem };
    }
    const opened = await openForRun(`stage "${stage.id}"`, () => plugin.open(stage.options, run.context), until);
    return { compiled: stage, perItem: false, open: () => Promise.resolve(opened) };
  };
  const stages: OpenEventStage[] = [], onItemFailed: OpenEventStage[] = [];
  for (const stage of compiled.stages) stages.push(await open(stage));
  for (const stage of compiled.onItemFailed) onItemFailed.push(await open(stage));
  return { stages, onItemFailed };
}
