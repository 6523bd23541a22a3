/**
 * One item through the stages of a pipeline: decides what the ledger allows, runs the stages in order, runs the
 * handlers when it failed, and reports. A failure of one item never reaches another (SAFETY S19).
 * @module
 */
import type { ItemOutcome, Plan, StageRun, Todo } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { LedgerStatus } from "../ledger/record.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import type { ItemFailure } from "../ports.ts";
import { killEvidence } from "../safety/kill_evidence.ts";
import { isForced, readContext, writeContext } from "./contexts.ts";
import { courseOf, scopeOf } from "./course.ts";
import type { Course } from "./course.ts";
import { distinctSteps } from "./distinct_steps.ts";
import { expectedWork } from "./expected_work.ts";
import { assertFinished } from "./finished.ts";
import { ItemSession } from "./item_session.ts";
import type { TreeItem } from "./item_session.ts";
import { Lease } from "./lease.ts";
import { assertMinted } from "./minted.ts";
import { disposeOf, disposeWith, untilLeft } from "./left_behind.ts";
import type { ItemReport, StageReport } from "./report.ts";
import type { RunState } from "./run_state.ts";
import { promise } from "./promises.ts";
import { runStage } from "./stage_run.ts";
import { asRunError } from "./stopped.ts";
import { StepCheckpoint } from "./step_checkpoint.ts";
import type { StageCounts } from "./stage_run.ts";
import { frozenItem } from "./views.ts";

/** A stage as opened for the run; stages whose options name the item are opened for each. */
export interface OpenStage {
  compiled: CompiledStage;
  /** Opened for each item, and disposed with it. */
  perItem?: true;
  open(item: TreeItem): Promise<StageRun>;
}

export interface OpenStages {
  stages: OpenStage[];
  onItemFailed: OpenStage[];
}

/** How an item ended; `stopsRun` carries the error that ends the run. */
export interface ItemEnd {
  report: ItemReport;
  stopsRun?: PipelineError;
}

/** Runs one item to its end. From here on it is what it is: nobody can change it, neither its source nor a stage. */
export async function runItem(run: RunState, given: TreeItem, open: OpenStages): Promise<ItemEnd> {
  const item = frozenItem(given);
  const { progress } = run.request;
  progress?.itemStarted?.(item.name);
  const report: ItemReport = { name: item.name, outcome: "unchanged", stages: [] };
  if (item.note !== undefined) report.note = item.note;
  const at: At = {};
  let failure: ItemFailure | undefined;
  let stopsRun: PipelineError | undefined;
  try {
    const record = await run.ledger?.latest(item.name);
    await using session = new ItemSession(run, scopeOf(run, item, record));
    try {
      const course = await courseOf(run, session, record);
      report.outcome = await runStages(run, session, { open, course, report, at });
    } catch (error) {
      failure = failureOf(run, error, { name: item.name, at });
      report.outcome = "failed";
      await runHandlers(run, session, { open, failure });
    }
  } catch (error) {
    failure ??= failureOf(run, error, { name: item.name, at });
    report.outcome = "failed";
  }
  if (failure && isStopped(failure.error)) {
    // Nobody did anything wrong, and nothing is lost: a later run goes on with it.
    report.outcome = "waiting";
    report.why = STOPPED;
    stopsRun = failure.error;
  } else if (failure) {
    const { error } = failure;
    report.error = { code: error.code, message: error.message, stage: failure.stage };
    if (error.hint !== undefined) report.error.hint = error.hint;
    if (error.findings.length > 0) report.error.findings = [...error.findings];
    if (error.stopsRun !== undefined) stopsRun = error;
    run.services.log.error(`${item.name}: ${error.message}`, {
      code: error.code,
      stage: failure.stage,
      findings: report.error.findings,
    });
  }
  run.forgetItem(item.id);
  fillNotReached(report, open);
  progress?.itemFinished?.(item.name, report.outcome);
  return { report, stopsRun };
}

const STOPPED = "the run was asked to stop; the next one goes on with it";

interface StagesWork {
  open: OpenStages;
  course: Course;
  report: ItemReport;
  at: At;
}

/** The stage under way; none before the first, between two and behind the last. */
interface At {
  stage?: CompiledStage;
}

async function runStages(run: RunState, session: ItemSession, work: StagesWork): Promise<ItemOutcome> {
  let changed = false;
  // Whoever else takes it in this pipeline may be a stage from outside, which would take the evidence away with it.
  if (work.course.course === "resume-destroy" && !run.request.dryRun) {
    const taking = work.open.stages.find((stage) => isBookkeeping(stage.compiled));
    if (taking) work.at.stage = taking.compiled; // one that cannot be had is a failure of the stage that takes it
    await session.lock(run.request.abort);
    delete work.at.stage;
  }
  for (const stage of work.open.stages) {
    const { plugin, id, use } = stage.compiled;
    if (work.course.course === "resume-destroy" && !belongsToDestroy(stage.compiled)) {
      const why = `the source is being freed since ${work.course.since}; only that goes on`;
      work.report.stages.push({ id, use, outcome: "skipped", applied: 0, skipped: 0, files: 0, bytes: 0, ms: 0, why });
      continue;
    }
    work.at.stage = stage.compiled;
    const end = await runOne(run, session, { stage, report: work.report });
    delete work.at.stage;
    if (end.outcome === "dropped" || end.outcome === "waiting") {
      work.report.why = end.why;
      if (end.until !== undefined) work.report.until = end.until;
      return end.outcome;
    }
    if (plugin.effect !== "read" && end.applied > 0 && !isBookkeeping(stage.compiled)) changed = true;
  }
  return changed ? "done" : "unchanged";
}

/** Taking the lock changes nothing that an operator would call a change. */
function isBookkeeping(stage: CompiledStage): boolean {
  return stage.facts.gives?.some((fact) => fact.fact === "locked") ?? false;
}

function belongsToDestroy(stage: CompiledStage): boolean {
  return stage.plugin.effect === "destroy" ||
    (isBookkeeping(stage) && stage.external === undefined && stage.facts.kills === undefined);
}

async function runOne(
  run: RunState,
  session: ItemSession,
  { stage, report, failure: handled }: { stage: OpenStage; report?: ItemReport; failure?: ItemFailure },
): Promise<StageReport> {
  const { compiled } = stage;
  const { services, request } = run;
  const { item } = session;
  const counts: StageCounts = { applied: 0, skipped: 0, files: 0, bytes: 0 };
  const started = services.clock.now();
  const line: StageReport = {
    id: compiled.id,
    use: compiled.use,
    outcome: "done",
    applied: 0,
    skipped: 0,
    files: 0,
    bytes: 0,
    ms: 0,
  };
  report?.stages.push(line);
  const onBytes = (count: number) => request.progress?.bytes?.(item.name, compiled.id, count);
  const make = {
    run,
    session,
    stage: { id: compiled.id, plugin: compiled.plugin, destroys: compiled.facts.destroys },
    signal: request.abort,
    onBytes,
    failure: handled,
  };
  using lease = new Lease(compiled.id, {
    abort: request.abort,
    timeoutMs: compiled.timeoutMs,
    leaveMs: run.deadlines.leaveMs,
    left: session.left,
    log: services.log,
  });
  await tellStart(run, session, compiled);
  let failure: { error: unknown } | undefined;
  try {
    const end = await runStage({
      plugin: compiled.plugin,
      lease,
      open: async () => {
        const opened = await stage.open(item);
        const dispose = () => disposeOf(`stage "${compiled.id}"`, opened, { ...run.disposing, left: session.left });
        if (stage.perItem) await disposeWith(session.disposables, dispose);
        return {
          plan: (signal) => distinctSteps(opened.plan(item, readContext({ ...make, signal }, lease)), compiled),
          begin: (step, acts) => {
            const ignore = isForced(request.force, compiled.id);
            const at = { incarnation: item.id, stage: compiled.id, step: step.id, ignore };
            const saved = new StepCheckpoint(services.journal.steps, at);
            const context = writeContext({ ...make, signal: acts.signal }, saved, acts);
            return { apply: () => opened.apply(step, untilLeft(context, acts.left)), end: () => saved.end() };
          },
        };
      },
      dryRun: request.dryRun,
      parallel: compiled.parallel ?? compiled.plugin.parallel ?? 1,
      retry: compiled.retry,
      stop: request.stop,
      clock: services.clock,
      log: services.log,
      isFinished: (step) => services.journal.steps.isFinished(item.id, compiled.id, step.id),
      finished: (step) => services.journal.steps.finish(item.id, compiled.id, step.id),
      onPlan: (plan) => planned(run, session, { compiled, plan }),
    }, counts);
    if (end.end === "done") {
      await assertMinted(run, session, compiled);
      await assertFinished(run, session, compiled);
    }
    line.outcome = end.end !== "done" ? end.end : counts.applied === 0 && counts.skipped > 0 ? "skipped" : "done";
    if (end.end !== "done") line.why = end.why;
    if (end.end === "waiting" && end.until !== undefined) line.until = isoOf(end.until);
  } catch (error) {
    line.outcome = isStopped(error) ? "waiting" : "failed";
    if (isStopped(error)) line.why = STOPPED;
    // What was removed half is not done, whatever the pipeline says (lint: safety/destroy-may-fail). What was left behind
    // may still be at work, and no later stage runs beside it.
    const mayFail = compiled.onError === "warn" && compiled.facts.destroys === undefined;
    if (mayFail && !isFatal(error) && !lease.isLeft) {
      services.log.warn(`${item.name}: stage ${compiled.id}: ${(error as Error).message}`);
      line.why = (error as Error).message;
    } else failure = { error };
  }
  Object.assign(line, { ...counts, why: line.why ?? counts.why, ms: Math.round(services.clock.now() - started) });
  if (line.why === undefined) delete line.why;
  try {
    if (!failure) await noteGuarantee(run, session, { compiled, line });
    const { kills, destroys } = compiled.facts;
    if (!request.dryRun && kills !== undefined && destroys === undefined) {
      await killEvidence(services.journal.evidence, item.id, kills);
    }
  } catch (error) {
    // What failed first is what the operator must hear.
    if (failure) services.log.error(`${item.name}: behind stage ${compiled.id}: ${(error as Error).message}`);
    line.outcome = "failed";
    failure ??= { error };
  }
  request.progress?.stageFinished?.(item.name, compiled.id, line.outcome);
  if (failure) throw failure.error;
  return line;
}

async function tellStart(run: RunState, session: ItemSession, compiled: CompiledStage): Promise<void> {
  const { progress, dryRun } = run.request;
  if (progress?.stageStarted === undefined) return;
  // A journal that cannot be asked fails where something depends on its answer.
  const expected = dryRun ? undefined : await expectedWork(run, session, compiled).catch(() => undefined);
  progress.stageStarted(session.item.name, compiled.id, expected);
}

/** ISO 8601; undefined for what is no time of the calendar. */
function isoOf(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function isFatal(error: unknown): boolean {
  return error instanceof PipelineError && (error.stopsRun !== undefined || isStopped(error));
}

function isStopped(error: unknown): boolean {
  return error instanceof PipelineError && error.code === "run/stopped";
}

async function planned(
  run: RunState,
  session: ItemSession,
  { compiled, plan }: { compiled: CompiledStage; plan: Plan },
): Promise<void> {
  run.request.progress?.stagePlanned?.(session.item.name, compiled.id, plan);
  if (run.request.dryRun && plan.kind === "todo") {
    await promise(run, session.scope, { facts: compiled.facts, step: plan as Todo });
  }
}

/** The weakest guarantee at the place a stage gave a proof of, for the report. */
async function noteGuarantee(
  run: RunState,
  session: ItemSession,
  { compiled, line }: { compiled: CompiledStage; line: StageReport },
): Promise<void> {
  const proved = compiled.facts.gives?.find((fact) => fact.fact === "proved")?.place;
  if (proved === undefined || line.outcome === "failed" || run.request.dryRun) return;
  const { weakest } = await session.scope.evidence.totals(session.item.id, proved);
  if (weakest !== null) line.guarantee = weakest;
}

async function runHandlers(
  run: RunState,
  session: ItemSession,
  { open, failure }: { open: OpenStages; failure: ItemFailure },
): Promise<void> {
  if (run.request.dryRun || isStopped(failure.error)) return;
  // SAFETY S4: nothing is recorded over a complete backup.
  const latest = await session.ledger();
  for (const stage of open.onItemFailed) {
    if (latest?.status === "complete" && stage.compiled.plugin.usesLedger) continue;
    try {
      await runOne(run, session, { stage, failure });
    } catch (error) {
      run.services.log.error(`${session.item.name}: handler ${stage.compiled.id}: ${(error as Error).message}`);
    }
  }
}

function failureOf(run: RunState, error: unknown, { name, at }: { name: string; at: At }): ItemFailure {
  return {
    stage: at.stage?.id ?? "",
    use: at.stage?.use ?? "",
    error: asRunError(error, { ...run.request, doing: `process "${name}"` }),
    status: at.stage ? statusOf(run, at.stage) : "failed",
  };
}

/** `failed_truenas` for stages that work on a folder place, `failed_s3` for those on a bucket. */
function statusOf(run: RunState, compiled: CompiledStage): LedgerStatus {
  if (compiled.plugin.failure) return compiled.plugin.failure;
  const facts = [...compiled.facts.gives ?? [], ...compiled.facts.needs ?? []];
  const place = facts.map((fact) => fact.place).find((id) => run.places.some((known) => known.id === id));
  if (place === undefined) return "failed";
  return run.place(place).kind === "directory" ? "failed_truenas" : "failed_s3";
}

function fillNotReached(report: ItemReport, open: OpenStages): void {
  for (const { compiled } of open.stages) {
    if (report.stages.some((stage) => stage.id === compiled.id)) continue;
    const { id, use } = compiled;
    report.stages.push({ id, use, outcome: "not-reached", applied: 0, skipped: 0, files: 0, bytes: 0, ms: 0 });
  }
}
