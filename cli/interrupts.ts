/** What Ctrl+C and SIGTERM do, one after the other: nothing that a stage does keeps a process from ending. @module */
import { interruption } from "./interruption.ts";
import type { InterruptOptions, Interrupts } from "./terminal.ts";

/** How long (ms) the work may take to end once it was told to stop now. */
export const NOW_MS = 5_000;
/** How long (ms) an endless run may take to end once it was asked to; whoever sent the signal soon sends SIGKILL. */
export const ENDLESS_MS = 1_900;

/** What interrupts are made of; tests make them of their own. */
export interface InterruptParts {
  /** Aborted when the process broke: as by two interrupts, but the end is another's. */
  broken: AbortSignal;
  /** Calls back at each Ctrl+C or SIGTERM. */
  listen(onSignal: () => void): Disposable;
  /** Calls back once, after `ms`; keeps the process alive until then. */
  after(ms: number, act: () => void): Disposable;
  /** Says why the process is ended. */
  err(text: string): void;
  /** Ends the process, what it started first; `last` may take a second meanwhile. */
  exit(code: number, last?: () => Promise<unknown>): void;
}

/**
 * The first interrupt asks to finish the step, the second to stop now, and 5 s behind it the process is ended with 130.
 * The third ends it at once. An endless run has 2 s from the first one on; that it ended is no failure: 0.
 *
 * What a process that is ended holds is found as after a crash: its locks are those of a dead holder. What it started is
 * ended with it, else a hook would work on behind a lock that the next run takes over.
 */
export function openInterrupts(parts: InterruptParts, { endless = false, last }: InterruptOptions = {}): Interrupts {
  const stop = new AbortController();
  const abort = new AbortController();
  const timers = new DisposableStack();
  let isEnding = false;
  const end = (why: string) => {
    // The end takes up to a second: one more interrupt, or the time that runs out meanwhile, ends nothing anew.
    if (isEnding) return;
    isEnding = true;
    parts.err(
      `labferry ends ${why}; what it was at is left as it is, as after a crash. Run again: it goes on with it\n`,
    );
    parts.exit(endless ? 0 : 130, last);
  };
  const endAfter = (ms: number) => {
    timers.use(parts.after(ms, () => end(`though the work did not: it was told to ${ms} ms ago`)));
  };
  let count = 0;
  const listening = parts.listen(() => {
    count++;
    if (count === 1) {
      if (endless) endAfter(ENDLESS_MS);
      stop.abort(interruption());
    } else if (count === 2) {
      endAfter(NOW_MS);
      abort.abort(interruption());
    } else end("at once, at the third interrupt");
  });
  return {
    stop: AbortSignal.any([stop.signal, parts.broken]),
    abort: AbortSignal.any([abort.signal, parts.broken]),
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      timers[Symbol.dispose]();
    },
  };
}
