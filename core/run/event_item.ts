/**
 * One event through the stages of a pipeline. It has no root, so there is no place, no lock, no ledger and no destroy;
 * retries, timeouts, `on_error`, counts and dry runs are those of every stage.
 * @module
 */
import type { Item, ItemOutcome, Json, Plan, StageRun, Takes } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import type { Outbox, OutboxEvent } from "../journal/journal.ts";
import type { ItemFailure } from "../ports.ts";
import { distinctSteps } from "./distinct_steps.ts";
import { eventReadContext, eventWriteContext, LEFT, scopeOf, seenKey } from "./event_contexts.ts";
import type { EventRun } from "./event_contexts.ts";
import { Lease } from "./lease.ts";
import { disposeOf, disposeWith, untilLeft } from "./left_behind.ts";
import { toReportError } from "./report.ts";
import type { ItemReport, StageReport } from "./report.ts";
import { StagesApart } from "./stages_apart.ts";
import { runStage } from "./stage_run.ts";
import type { StageCounts, StageEnd } from "./stage_run.ts";
import { frozenItem } from "./views.ts";

/** A stage of an event pipeline, opened for the run or for the item. */
export interface OpenEventStage {
  compiled: CompiledStage;
  perItem: boolean;
  open(item: Item): Promise<StageRun<Json, Takes>>;
}

export interface OpenEventStages {
  stages: OpenEventStage[];
  onItemFailed: OpenEventStage[];
}

/** An event while its stages run: what they add to it, and what they want to be remembered. */
export class EventItem {
  readonly disposables = new AsyncDisposableStack();
  readonly remembered = new Map<string, number>();
  /** Keys that are left although the item failed, once it has acted. */
  readonly #partly = new Set<string>();
  /** Whether a stage has done anything but look. */
  hasActed = false;
  /** Whether an event was not queued that people should have heard of. */
  isUntold = false;
  #emitted: OutboxEvent[] = [];
  #view: Item;

  constructor(item: Item) {
    this.#view = frozenItem(item);
  }

  /** The item as stages see it; nothing of it can be changed. */
  get view(): Item {
    return this.#view;
  }

  amend(data: { [key: string]: Json }): void {
    this.#view = frozenItem({ ...this.#view, data: { ...this.#view.data, ...data } });
  }

  remember(key: string, keepMs: number, { partly = false }: { partly?: boolean } = {}): void {
    this.remembered.set(key, keepMs);
    if (partly) this.#partly.add(key);
  }

  /** Whether the item leaves this key though it failed. */
  leavesPartly(key: string): boolean {
    return this.hasActed && this.#partly.has(key);
  }

  emit(event: OutboxEvent): void {
    this.#emitted.push(event);
  }

  /** Queues what was emitted, at one go: each commit waits for the disk. */
  async queue(outbox: Outbox): Promise<void> {
    const events = new Set(this.#emitted);
    if (events.size === 0) return;
    await outbox.enqueueMany([...events]);
    // Not before: what the journal did not take is queued with the next.
    this.#emitted = this.#emitted.filter((event) => !events.has(event));
  }
}

/** Runs one event to its end. Its failure is in the report; only what ends the run is thrown, as `stopsRun` beside it. */
export async function runEventItem(
  run: EventRun,
  given: Item,
  open: OpenEventStages,
): Promise<{ report: ItemReport; stopsRun?: PipelineError }> {
  const { request, services } = run;
  request.progress?.itemStarted?.(given.name);
  const report: ItemReport = { name: given.name, outcome: "unchanged", stages: [] };
  const item = new EventItem(given);
  let stopsRun: PipelineError | undefined;
  let at: CompiledStage | undefined;
  try {
    await using _ = item.disposables;
    try {
      report.outcome = await runStages(run, item, { open, report, begins: (stage) => at = stage });
      // What no stage could queue, whatever its on_error says: with such an event left the item has not ended well.
      await item.queue(services.journal.outbox);
    } catch (error) {
      const failure = failureOf(error, at, given.name);
      if (isStopped(failure.error)) throw failure.error;
      // The handlers run before what the item holds is disposed of.
      await runHandlers(run, item, { open, failure });
      throw failure.error;
    }
  } catch (error) {
    const failure = failureOf(error, at, given.name);
    if (isStopped(failure.error)) {
      report.outcome = "waiting";
      report.why = "the run was asked to stop; a later one takes it up again";
    } else {
      report.outcome = "failed";
      report.error = toReportError(failure.error, failure.stage);
      const { code, message } = failure.error;
      const { findings } = report.error;
      services.log.error(`${given.name}: ${message}`, { code, stage: failure.stage, findings });
      if (failure.error.stopsRun !== undefined) stopsRun = failure.error;
    }
  }
  if (!request.dryRun) await leaveKeys(run, item, report.outcome);
  fillNotReached(report, open);
  request.progress?.itemFinished?.(given.name, report.outcome);
  return { report, stopsRun };
}

async function leaveKeys(run: EventRun, item: EventItem, outcome: ItemOutcome): Promise<void> {
  if (item.isUntold) return;
  const { journal: { seen, steps }, clock } = run.services;
  const isWell = outcome === "done" || outcome === "unchanged";
  const keys = [...item.remembered].filter(([key]) => isWell || item.leavesPartly(key));
  if (keys.length === 0) return;
  await seen.markMany(keys.map(([key, keepMs]) => ({ key: seenKey(run, key), keepMs })), clock.now());
  // What is still to be done of this item must not be silenced by what is done.
  if (!isWell) { for (const [key] of keys) await steps.finish(scopeOf(run, item.view), LEFT, key); }
}

function isStopped(error: PipelineError): boolean {
  return error.code === "run/stopped";
}

async function runStages(
  run: EventRun,
  item: EventItem,
  { open, report, begins }: { open: OpenEventStages; report: ItemReport; begins: (stage?: CompiledStage) => void },
): Promise<ItemOutcome> {
  const apart = new StagesApart();
  for (const stage of open.stages) {
    const { compiled } = stage;
    const { effect, failsApart = false } = compiled.plugin;
    if (apart.isHeldUp && !failsApart && effect !== "read") continue;
    begins(compiled);
    let line: StageReport;
    try {
      line = await runOne(run, item, { stage, report });
    } catch (error) {
      if (!failsApart || isFatal(error)) throw error;
      const others = apart.failed(compiled, error);
      if (others) run.services.log.error(`${item.view.name}: stage ${compiled.id}: ${(error as Error).message}`);
      continue;
    } finally {
      if (effect !== "read" && report.stages.at(-1)!.applied > 0) item.hasActed = true;
    }
    begins();
    if (line.outcome === "waiting" && failsApart) {
      apart.waits(compiled, line);
    } else if (line.outcome === "dropped" || line.outcome === "waiting") {
      if (apart.isHeldUp) break;
      report.why = line.why;
      if (line.until !== undefined) report.until = line.until;
      return line.outcome;
    } else if (failsApart) {
      apart.endedWell();
    }
  }
  const held = apart.end();
  if (held === undefined) return item.hasActed ? "done" : "unchanged";
  if (!("line" in held)) {
    begins(held.stage);
    throw held.error;
  }
  report.why = held.line.why;
  if (held.line.until !== undefined) report.until = held.line.until;
  return "waiting";
}

async function runOne(
  run: EventRun,
  item: EventItem,
  { stage, report, failure }: { stage: OpenEventStage; report?: ItemReport; failure?: ItemFailure },
): Promise<StageReport> {
  const { compiled } = stage;
  const { id, use, plugin } = compiled;
  const { services, request } = run;
  const { name } = item.view;
  const counts: StageCounts = { applied: 0, skipped: 0, files: 0, bytes: 0 };
  const started = services.clock.now();
  const line: StageReport = { id, use, outcome: "done", ...counts, ms: 0 };
  report?.stages.push(line);
  request.progress?.stageStarted?.(name, id);
  const make = { run, item, stage: compiled, failure };
  const { steps, outbox } = services.journal;
  using lease = new Lease(id, {
    abort: run.abort,
    timeoutMs: compiled.timeoutMs,
    leaveMs: run.disposing.deadlines.leaveMs,
    log: services.log,
  });
  try {
    const running = runStage({
      plugin,
      lease,
      open: async () => {
        const opened = await stage.open(item.view);
        const dispose = () => disposeOf(`stage "${id}"`, opened, run.disposing);
        if (stage.perItem) await disposeWith(item.disposables, dispose);
        return {
          plan: (signal) => distinctSteps(opened.plan(item.view, eventReadContext({ ...make, signal })), compiled),
          begin: (step, acts) => {
            const context = eventWriteContext({ ...make, signal: acts.signal }, step, acts);
            return { apply: () => opened.apply(step, untilLeft(context, acts.left)) };
          },
        };
      },
      dryRun: request.dryRun,
      parallel: compiled.parallel ?? plugin.parallel ?? 1,
      retry: compiled.retry,
      stop: request.stop,
      turn: run.turn,
      clock: services.clock,
      log: services.log,
      isFinished: (step) => steps.isFinished(scopeOf(run, item.view), id, step.id),
      finished: async (step) => {
        await item.queue(outbox);
        await steps.finish(scopeOf(run, item.view), id, step.id);
      },
      onPlan: (plan) => planned(run, item, { stage: id, plan }),
    }, counts);
    // All that was emitted is told, also by a step that failed then: repeated, it queues the same id once more.
    const end = await running.finally(() => item.queue(outbox));
    tellEnd(line, end, counts);
  } catch (error) {
    line.outcome = "failed";
    // What was left behind may still be at work, and no later stage runs beside it.
    if (compiled.onError !== "warn" || isFatal(error) || lease.isLeft) throw error;
    services.log.warn(`${name}: stage ${id}: ${(error as Error).message}`);
    line.why = (error as Error).message;
  } finally {
    Object.assign(line, { ...counts, why: line.why ?? counts.why, ms: Math.round(services.clock.now() - started) });
    if (line.why === undefined) delete line.why;
    request.progress?.stageFinished?.(name, id, line.outcome);
  }
  return line;
}

function tellEnd(line: StageReport, end: StageEnd, counts: StageCounts): void {
  line.outcome = end.end !== "done" ? end.end : counts.applied === 0 && counts.skipped > 0 ? "skipped" : "done";
  if (end.end !== "done") line.why = end.why;
  if (end.end !== "waiting" || end.until === undefined) return;
  const until = new Date(end.until);
  if (!Number.isNaN(until.getTime())) line.until = until.toISOString();
}

function isFatal(error: unknown): boolean {
  return error instanceof PipelineError && (error.stopsRun !== undefined || isStopped(error));
}

function planned({ request }: EventRun, item: EventItem, { stage, plan }: { stage: string; plan: Plan }): void {
  request.progress?.stagePlanned?.(item.view.name, stage, plan);
  if (request.dryRun && plan.kind === "todo" && plan.promises) item.amend(plan.promises);
}

async function runHandlers(
  run: EventRun,
  item: EventItem,
  { open, failure }: { open: OpenEventStages; failure: ItemFailure },
): Promise<void> {
  if (run.request.dryRun) return;
  for (const stage of open.onItemFailed) {
    try {
      await runOne(run, item, { stage, failure });
    } catch (error) {
      run.services.log.error(`${item.view.name}: handler ${stage.compiled.id}: ${(error as Error).message}`);
    }
  }
}

function failureOf(error: unknown, at: CompiledStage | undefined, name: string): ItemFailure {
  const known = asKnownError(error, `process "${name}"`);
  return { stage: at?.id ?? "", use: at?.use ?? "", error: known, status: "failed" };
}

function fillNotReached(report: ItemReport, open: OpenEventStages): void {
  for (const { compiled: { id, use } } of open.stages) {
    if (report.stages.some((stage) => stage.id === id)) continue;
    report.stages.push({ id, use, outcome: "not-reached", applied: 0, skipped: 0, files: 0, bytes: 0, ms: 0 });
  }
}
