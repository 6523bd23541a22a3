/**
 * Runs one stage for one item: draws the plan lazily, applies steps with bounded parallelism, retries what may be
 * retried, and counts. The first failure stops the drawing; steps under way finish before the stage fails, unless they
 * were told to end and do not.
 * @module
 */
import type { AnyStage, Plan, Todo } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import { orAborted } from "../or_aborted.ts";
import type { RetrySettings } from "../pipeline/pipeline_file.ts";
import type { Clock, Logger } from "../ports.ts";
import type { Acts, Lease } from "./lease.ts";
import { stoppedError } from "./stopped.ts";
import { turns } from "./turns.ts";

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

/** A stage as opened for the item. */
export interface OpenedWork {
  plan: (signal: AbortSignal) => AsyncIterable<Plan>;
  begin: (step: Todo, acts: Acts) => StepWork;
}

/** One attempt at a step. */
export interface StepWork {
  apply: () => Promise<void>;
  /** Called once the step and all it began have ended well. */
  end?: () => Promise<void>;
}

export interface StageWork {
  plugin: AnyStage;
  /** Its time; this ends it. */
  lease: Lease;
  open: () => Promise<OpenedWork>;
  dryRun: boolean;
  parallel: number;
  retry?: RetrySettings;
  /** Stop taking up steps. */
  stop: AbortSignal;
  /** Called before each step. Default: lets timers and signals have their turn. */
  turn?: () => Promise<void>;
  clock: Clock;
  log: Logger;
  /** Whether the journal has this step as finished; only asked for stages that may skip on its word. */
  isFinished: (step: Todo) => Promise<boolean>;
  finished: (step: Todo) => Promise<void>;
  onPlan: (plan: Plan) => void | Promise<void>;
}

/**
 * Runs the stage to its end, and all it began with it. @throws {PipelineError} of the first step that failed, or
 * `run/stopped`
 */
export async function runStage(work: StageWork, counts: StageCounts): Promise<StageEnd> {
  const { lease } = work;
  let end: StageEnd;
  try {
    end = await runOpened(work, { opened: await openStage(work), counts });
  } catch (error) {
    await lease.end({ failed: true }).catch((other) => tellOthers(work.log, [other], error));
    throw error;
  }
  try {
    await lease.end();
  } catch (cause) {
    throw stageError([cause], work);
  }
  return end;
}

/** One that does not open though it is to end must hold the run no more than a step. */
async function openStage(work: StageWork): Promise<OpenedWork> {
  const { lease, log, plugin } = work;
  const opening = (async () => await work.open())();
  try {
    return await lease.ended(opening, () => {
      log.warn(`Stage "${plugin.name}" does not open though it was told to end: it is left behind`);
    });
  } catch (cause) {
    throw lease.signal.aborted ? stageError([cause], work) : cause;
  }
}

interface Running {
  opened: OpenedWork;
  counts: StageCounts;
}

async function runOpened(work: StageWork, running: Running): Promise<StageEnd> {
  const { counts } = running;
  for (let attempt = 1;; attempt++) {
    const before = { why: undefined, ...counts };
    const { end, failures, began } = await drawAndApply(work, running);
    if (failures.length === 0) return end;
    const error = stageError(failures, work);
    // A plan that failed before its first step is drawn anew; behind that, each step has attempts of its own.
    const pause = began ? undefined : pauseBefore(work.retry, error, attempt);
    if (pause === undefined || work.lease.signal.aborted || work.stop.aborted) {
      tellOthers(work.log, failures, error);
      throw error;
    }
    Object.assign(counts, before);
    try {
      await pauseFor(work, { error, attempt, pause });
    } catch (cause) {
      throw stageError([cause], work);
    }
  }
}

/** The report has room for one failure; whoever mends it wants to know of all. */
function tellOthers(log: Logger, failures: readonly unknown[], told: unknown): void {
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

async function drawAndApply(work: StageWork, { opened, counts }: Running): Promise<Drawn> {
  const { signal } = work.lease;
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let end: StageEnd = { end: "done" };
  let began = false;
  const turn = work.turn ?? turns(); // a plan without an end would else be heard by nothing but SIGKILL
  try {
    for await (const plan of untilAborted(opened.plan(signal), signal)) {
      await turn();
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
      const step: Promise<void> = applyStep(work, plan, { opened, counts })
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
      const next = await orAborted(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    const closed = Promise.resolve(iterator.return?.());
    if (signal.aborted) closed.catch(() => {}); // one that hangs is left behind: its end would never come
    else await orAborted(closed, signal);
  }
}

async function applyStep(work: StageWork, step: Todo, { opened, counts }: Running): Promise<void> {
  if (work.plugin.resume === "skip-finished" && work.plugin.effect !== "destroy" && await work.isFinished(step)) {
    countSkip(counts, { why: "finished by an earlier run", files: step.files?.length, bytes: step.bytes });
    return;
  }
  const { lease } = work;
  for (let attempt = 1;; attempt++) {
    const acts = lease.step();
    try {
      await applyOnce(work, step, { opened, acts });
      break;
    } catch (error) {
      const pause = pauseBefore(work.retry, error, attempt);
      if (pause === undefined || lease.signal.aborted || work.stop.aborted) throw error;
      // The next attempt must not run beside what this one began. What that threw follows from the failure.
      await lease.ended(acts.settled().catch(() => {}));
      await pauseFor(work, { error, attempt, pause });
    }
  }
  if (work.plugin.resume === "skip-finished") await work.finished(step);
  countStep(counts, step);
}

/** One attempt. A step that does not end though its signal was aborted must not hold the run: it is left behind. */
async function applyOnce(
  work: StageWork,
  step: Todo,
  { opened, acts }: { opened: OpenedWork; acts: Acts },
): Promise<void> {
  const applied = (async () => {
    const begun = opened.begin(step, acts);
    await begun.apply();
    // What nobody waited for belongs to the step all the same: it is not done before, and fails with it.
    await acts.settled();
    acts.left.throwIfAborted();
    await begun.end?.();
  })();
  await work.lease.ended(applied, () => {
    work.log.warn(
      `Stage "${work.plugin.name}" does not end step "${step.id}" though it was told to: it is left behind`,
    );
  });
}

/** Waits before the next attempt. @throws {PipelineError} `run/stopped` when the run is asked to stop meanwhile */
async function pauseFor(
  work: StageWork,
  { error, attempt, pause }: { error: unknown; attempt: number; pause: number },
): Promise<void> {
  const { signal } = work.lease;
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
function stageError(failures: unknown[], work: StageWork): PipelineError {
  const { timeout, timeoutMs, abort } = work.lease;
  const errors = failures.map((failure) => {
    // What the timeout broke off may come in the words of what was broken off.
    const byTimeout = timeout?.aborted && failure instanceof PipelineError && failure.cause === timeout.reason;
    if (failure instanceof PipelineError && !byTimeout) return failure;
    if (timeout?.aborted && !abort.aborted) {
      return new PipelineError(
        "run/timeout",
        `Cannot finish stage "${work.plugin.name}": it took over ${timeoutMs} ms`,
        {
          cause: failure,
          retry: "transient",
          hint: "Find out what it waits for, or raise the timeout of this stage in the pipeline",
        },
      );
    }
    if (abort.aborted) return stoppedError();
    return asKnownError(failure, `run stage "${work.plugin.name}"`);
  });
  return errors.find((error) => error.stopsRun !== undefined) ?? errors[0];
}
