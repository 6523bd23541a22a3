/**
 * Runs one stage for one item: draws the plan lazily, applies steps with bounded parallelism, retries what may be
 * retried, and counts. The first failure stops the drawing; steps under way finish before the stage fails, unless they
 * were told to end and do not.
 * @module
 */
import type { AnyStage, Json, Plan, StageRun, Takes, Todo } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import type { RetrySettings } from "../pipeline/pipeline_file.ts";
import type { Clock, Logger } from "../ports.ts";
import { deadlineAfter, endedOrLeft } from "./deadlines.ts";
import { type LeftBehind, leftReason, type StepSignals } from "./left_behind.ts";
import { stoppedError } from "./stopped.ts";

/** What a stage did to an item. */
export interface StageCounts {
  applied: number;
  skipped: number;
  files: number;
  bytes: number;
  /** Why nothing was to be done, from the first skip. */
  why?: string;
}

export type StageEnd = { end: "done" } | { end: "dropped"; why: string } | {
  end: "waiting";
  why: string;
  until?: number;
};

export interface StageWork {
  plugin: AnyStage;
  run: StageRun<Json, Takes>;
  plan: (signal: AbortSignal) => AsyncIterable<Plan>;
  apply: (step: Todo, signals: StepSignals) => Promise<void>;
  dryRun: boolean;
  parallel: number;
  retry?: RetrySettings;
  timeoutMs?: number;
  /** Stop taking up steps. */
  stop: AbortSignal;
  abort: AbortSignal;
  /** How long (ms) a step has to end once it was told to; then it is left behind. */
  leaveMs: number;
  left?: LeftBehind;
  /** Called before each step. */
  turn?: () => Promise<void>;
  clock: Clock;
  log: Logger;
  /** Whether the journal has this step as finished; only asked for stages that may skip on its word. */
  isFinished: (step: Todo) => Promise<boolean>;
  finished: (step: Todo) => Promise<void>;
  onPlan: (plan: Plan) => void | Promise<void>;
}

/** Runs the stage to its end. @throws {PipelineError} of the first step that failed, or `run/stopped`. */
export async function runStage(work: StageWork, counts: StageCounts): Promise<StageEnd> {
  // By a timer that keeps the process alive: a step that waits for nothing does not, and would take the run with it.
  using deadline = work.timeoutMs === undefined ? undefined : deadlineAfter(work.timeoutMs);
  const timeout = deadline?.signal;
  const signal = timeout ? AbortSignal.any([work.abort, timeout]) : work.abort;
  for (let attempt = 1;; attempt++) {
    const before = { why: undefined, ...counts };
    const { end, failures, began } = await drawAndApply(work, { signal, counts });
    if (failures.length === 0) return end;
    const error = stageError(failures, { timeout, work });
    // A plan that failed before its first step is drawn anew; behind that, each step has attempts of its own.
    const pause = began ? undefined : pauseBefore(work.retry, error, attempt);
    if (pause === undefined || signal.aborted || work.stop.aborted) {
      tellOthers(work.log, failures, error);
      throw error;
    }
    Object.assign(counts, before);
    try {
      await pauseFor(work, signal, { error, attempt, pause });
    } catch (cause) {
      throw stageError([cause], { timeout, work });
    }
  }
}

/** The report has room for one failure; whoever mends it wants to know of all. */
function tellOthers(log: Logger, failures: readonly unknown[], told: PipelineError): void {
  for (const failure of failures) {
    if (failure instanceof PipelineError && failure !== told && failure.code !== "run/stopped") {
      log.warn(failure.message);
    }
  }
}

interface Drawn {
  end: StageEnd;
  failures: unknown[];
  /** Whether a step was drawn. */
  began: boolean;
}

async function drawAndApply(
  work: StageWork,
  { signal, counts }: { signal: AbortSignal; counts: StageCounts },
): Promise<Drawn> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let end: StageEnd = { end: "done" };
  let began = false;
  try {
    for await (const plan of untilAborted(work.plan(signal), signal)) {
      await work.turn?.();
      signal.throwIfAborted();
      if (work.stop.aborted) throw stoppedError();
      await work.onPlan(plan);
      if (plan.kind === "skip") countSkip(counts, plan);
      else if (plan.kind === "drop") end = { end: "dropped", why: plan.why };
      else if (plan.kind === "wait") end = { end: "waiting", why: plan.why, until: plan.until };
      if (end.end !== "done") break;
      if (plan.kind !== "todo") continue;
      began = true;
      if (work.dryRun) {
        countStep(counts, plan);
        continue;
      }
      if (plan.alone) await Promise.all(running);
      if (hasToEnd(work, failures)) break;
      const step: Promise<void> = applyStep(work, plan, { signal, counts })
        .catch((error) => void failures.push(error))
        .finally(() => running.delete(step));
      running.add(step);
      if (plan.alone || running.size >= work.parallel) await Promise.race(running);
      if (hasToEnd(work, failures)) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  return { end, failures, began };
}

/** Whether no further step is begun: after any failure, unless the stage says that its steps stand alone. */
function hasToEnd({ plugin }: StageWork, failures: readonly unknown[]): boolean {
  return !failures.every((error) =>
    error instanceof PipelineError && error.stopsRun === undefined && plugin.goesOn?.(error) === true
  );
}

/** Passes on what a plan yields until the signal: a plan that hangs must not hold the item beyond its timeout. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await raced(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    const closed = Promise.resolve(iterator.return?.());
    if (signal.aborted) closed.catch(() => {}); // one that hangs is left behind: its end would never come
    else await closed;
  }
}

function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    const settle = <V>(by: (value: V) => void) => (value: V) => {
      signal.removeEventListener("abort", onAbort);
      by(value);
    };
    promise.then(settle(resolve), settle(reject));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

async function applyStep(
  work: StageWork,
  step: Todo,
  { signal, counts }: { signal: AbortSignal; counts: StageCounts },
): Promise<void> {
  if (work.plugin.resume === "skip-finished" && work.plugin.effect !== "destroy" && await work.isFinished(step)) {
    countSkip(counts, { why: "finished by an earlier run", files: step.files?.length, bytes: step.bytes });
    return;
  }
  for (let attempt = 1;; attempt++) {
    try {
      await applyOnce(work, step, signal);
      break;
    } catch (error) {
      const pause = pauseBefore(work.retry, error, attempt);
      if (pause === undefined || signal.aborted || work.stop.aborted) throw error;
      await pauseFor(work, signal, { error, attempt, pause });
    }
  }
  if (work.plugin.resume === "skip-finished") await work.finished(step);
  countStep(counts, step);
}

/** One attempt. A step that does not end though its signal was aborted must not hold the run: it is left behind. */
async function applyOnce(work: StageWork, step: Todo, signal: AbortSignal): Promise<void> {
  const left = new AbortController();
  const applied = (async () => await work.apply(step, { signal, left: left.signal }))();
  const onLeft = () => {
    left.abort(leftReason());
    work.left?.add(applied);
    work.log.warn(
      `Stage "${work.plugin.name}" does not end step "${step.id}" though it was told to: it is left behind`,
    );
  };
  await endedOrLeft(applied, { signal, ms: work.leaveMs, onLeft });
}

/** Waits before the next attempt. @throws {PipelineError} `run/stopped` when the run is asked to stop meanwhile */
async function pauseFor(
  work: StageWork,
  signal: AbortSignal,
  { error, attempt, pause }: { error: unknown; attempt: number; pause: number },
): Promise<void> {
  const of = `${attempt + 1} of ${work.retry?.attempts}`;
  work.log.warn(`${(error as Error).message}; trying again (${of}) in ${pause} ms`);
  try {
    await work.clock.sleep(pause, AbortSignal.any([signal, work.stop]));
  } catch (cause) {
    if (work.stop.aborted && !signal.aborted) throw stoppedError();
    throw cause;
  }
}

/** How long (ms) to wait before the next attempt; undefined when there is none. */
function pauseBefore(retry: RetrySettings | undefined, error: unknown, attempt: number): number | undefined {
  if (!retry || attempt >= retry.attempts) return undefined;
  if (!(error instanceof PipelineError) || error.stopsRun !== undefined) return undefined;
  const wanted = retry.on.includes(error.code) || (error.retry === "transient" && retry.on.includes("transient"));
  return wanted ? Math.min(retry.firstMs * 2 ** (attempt - 1), retry.maxMs ?? Infinity) : undefined;
}

function countStep(counts: StageCounts, step: Todo): void {
  counts.applied++;
  counts.files += step.files?.filter((file) => !file.emptyFolder).length ?? 0;
  counts.bytes += step.bytes ?? 0;
}

function countSkip(counts: StageCounts, skip: { why: string; files?: number; bytes?: number }): void {
  counts.skipped += skip.files ?? 1;
  counts.why ??= skip.why;
}

/** The failure that matters most: one that stops the run, else the first. */
function stageError(
  failures: unknown[],
  { timeout, work }: { timeout?: AbortSignal; work: StageWork },
): PipelineError {
  const errors = failures.map((failure) => {
    // What the timeout broke off may come in the words of what was broken off.
    const byTimeout = timeout?.aborted && failure instanceof PipelineError && failure.cause === timeout.reason;
    if (failure instanceof PipelineError && !byTimeout) return failure;
    if (timeout?.aborted && !work.abort.aborted) {
      return new PipelineError(
        "run/timeout",
        `Cannot finish stage "${work.plugin.name}": it took over ${work.timeoutMs} ms`,
        {
          cause: failure,
          retry: "transient",
          hint: "Find out what it waits for, or raise the timeout of this stage in the pipeline",
        },
      );
    }
    if (work.abort.aborted) return stoppedError();
    return asKnownError(failure, `run stage "${work.plugin.name}"`);
  });
  return errors.find((error) => error.stopsRun !== undefined) ?? errors[0];
}
