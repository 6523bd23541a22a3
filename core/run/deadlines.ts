/**
 * How long a run waits for what may never answer: a step that does not hear its signal, a disposal that hangs. The
 * timers are those of the system, whatever clock the run has, and keep the process alive until they end.
 * @module
 */
import { systemClock } from "../io/clock.ts";
import { orAborted } from "../or_aborted.ts";
import type { RunRequest } from "./services.ts";

/** All in ms. */
export interface Deadlines {
  /** What a stage and all its acts have to end in once they were told to, in all; then they are left behind. */
  leaveMs: number;
  /** What one disposal may take. */
  disposeMs: number;
  /** The same once the run is to end at once: it was aborted, or is one over events and was asked to stop. */
  lastDisposeMs: number;
  /** How long the step at work of an endless run goes on once the run was asked to stop; then it is aborted. */
  finishMs: number;
}

/** Less than the process gives a run that was told to stop now. */
const OF_STUDIES: Deadlines = { leaveMs: 2_000, disposeMs: 10_000, lastDisposeMs: 1_000, finishMs: 0 };
/** An endless run ends within 2 s of being asked: a step, its being left, and a disposal that hang take 1.4 s. */
const OF_EVENTS: Deadlines = { leaveMs: 400, disposeMs: 10_000, lastDisposeMs: 500, finishMs: 500 };

/** The deadlines of a run. */
export function deadlinesOf({ compiled, deadlines }: Pick<RunRequest, "compiled" | "deadlines">): Deadlines {
  return { ...(compiled.source.plugin.yields === "event" ? OF_EVENTS : OF_STUDIES), ...deadlines };
}

/** How long (ms) a child process has to end by itself once it was told to: it is gone before its step is left behind. */
export function childGraceMs({ leaveMs }: Pick<Deadlines, "leaveMs">): number {
  return leaveMs * 3 / 4;
}

/** A signal that is aborted after `ms` unless it is disposed of before. */
export function deadlineAfter(ms: number): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const cancel = new AbortController();
  const onTime = () => over.abort(new DOMException(`${ms} ms are over`, "TimeoutError"));
  systemClock.sleep(ms, cancel.signal).then(onTime, () => {}); // disposed of before
  return { signal: over.signal, [Symbol.dispose]: () => cancel.abort() };
}

/** A signal that is aborted `ms` behind another one, with its reason. */
export function signalBehind(first: AbortSignal, ms: number): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const cancel = new AbortController();
  const begin = () => void systemClock.sleep(ms, cancel.signal).then(() => over.abort(first.reason), () => {}); // as above
  if (first.aborted) begin();
  else first.addEventListener("abort", begin, { once: true, signal: cancel.signal });
  return { signal: over.signal, [Symbol.dispose]: () => cancel.abort() };
}

/**
 * Resolves or rejects as `work` does. What has not ended when it is late is left behind: `onLeft` is called, and the
 * signal's reason is thrown.
 */
export async function endedOrLeft<T>(
  work: Promise<T>,
  { late, onLeft }: { late: AbortSignal; onLeft: () => void },
): Promise<T> {
  let hasEnded = false;
  const end = () => void (hasEnded = true);
  work.then(end, end);
  try {
    return await orAborted(work, late);
  } catch (error) {
    if (!hasEnded) onLeft();
    throw error;
  }
}
