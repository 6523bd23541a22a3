/**
 * Steps and disposals that did not end when they were told to, and what keeps them from doing harm.
 *
 * Nothing can end a promise that never settles, nor a call that the file system holds up. What holds all the same:
 * - what was left behind is refused by its context (`untilLeft`), and everything under way below it has an aborted signal;
 * - what may still happen is the call it hangs in, when a file system that was gone comes back, and what follows up to the
 *   next look at the signal; no removal follows, for before each there is such a look (`safety/remover.ts`). So
 *   the locks under which it began are kept until it has ended. If it never does, they are held to the end of the process:
 *   another host meets a held lock until then, and behind that one whose holder is proved dead;
 * - a child process does not end with this one. It is killed before its step is left behind (`childGraceMs`), and whatever
 *   ends the process kills those that are at work first (`killChildren`).
 * @module
 */
import type { Logger } from "../ports.ts";
import { deadlineAfter, type Deadlines, deadlinesOf, endedOrLeft } from "./deadlines.ts";
import type { RunRequest } from "./services.ts";

/** A lock as far as it is given back. */
interface Releasable {
  release(): Promise<void>;
}

/** What was left behind by one item, or by a run with all its items, and has not ended since. */
export class LeftBehind {
  readonly #under: LeftBehind | undefined;
  readonly #work = new Set<Promise<void>>();

  /** `under` is that of the run, whose locks cover those of its items. */
  constructor(under?: LeftBehind) {
    this.#under = under;
  }

  add(work: Promise<unknown>): void {
    const ended: Promise<void> = work.then(() => {}, () => {}) // whatever becomes of it comes too late to be told
      .finally(() => this.#work.delete(ended));
    this.#work.add(ended);
    this.#under?.add(work);
  }

  /** Gives a lock back: now, or once everything has ended that was left behind under it. */
  async release(lock: Releasable): Promise<void> {
    if (this.#work.size === 0) return await lock.release();
    // Nobody waits for it. A lock that cannot be given back then stays until the end of the process.
    void Promise.all(this.#work).then(() => lock.release()).catch(() => {});
  }
}

/**
 * The context, each function of which refuses once its step was left behind; so do those of the places it gives. What
 * a step began before has its signal, which is aborted by then.
 */
export function untilLeft<T extends object>(context: T, left: AbortSignal): T {
  const entries = Object.entries(context).map(([name, value]) => {
    if (typeof value !== "function") return [name, value] as const;
    const guarded = (...args: unknown[]) => {
      left.throwIfAborted();
      const given: unknown = Reflect.apply(value, context, args);
      return name === "place" ? untilLeft(given as object, left) : given;
    };
    return [name, guarded] as const;
  });
  const guarded = Object.fromEntries(entries) as T;
  return Object.isFrozen(context) ? Object.freeze(guarded) : guarded;
}

/** The reason a step that is left behind hears if it asks for anything more. */
export function leftReason(): DOMException {
  return new DOMException("the step did not end when it was told to, and was left behind", "AbortError");
}

/** What the disposals of a run have in common. */
export interface Disposing {
  log: Logger;
  deadlines: Deadlines;
  /** Whether the run is to end at once. */
  isHurried: () => boolean;
  left?: LeftBehind;
}

/** How what a run opened is disposed of. */
export function disposingOf(request: RunRequest, log: Logger, left?: LeftBehind): Disposing {
  const { abort, stop, compiled } = request;
  const isHurried = () => abort.aborted || (stop.aborted && compiled.source.plugin.yields === "event");
  return { log, deadlines: deadlinesOf(request), isHurried, left };
}

/** Disposes of what was opened; `what` names it. One that hangs is left behind, with a warning. */
export async function disposeOf(
  what: string,
  opened: Partial<AsyncDisposable>,
  { log, deadlines, isHurried, left }: Disposing,
): Promise<void> {
  const disposed = (async () => await opened[Symbol.asyncDispose]?.())();
  const ms = isHurried() ? deadlines.lastDisposeMs : deadlines.disposeMs;
  using deadline = deadlineAfter(ms);
  let isLeft = false;
  const onLeft = () => isLeft = true;
  try {
    await endedOrLeft(disposed, { late: deadline.signal, onLeft });
  } catch (error) {
    if (!isLeft) throw error;
    left?.add(disposed);
    log.warn(`Cannot dispose of ${what}: it did not end within ${ms} ms, and is left behind`);
  }
}

/** Disposes with the others of the stack; at once where these have been, since it opened when nobody waited any more. */
export async function disposeWith(stack: AsyncDisposableStack, dispose: () => Promise<void>): Promise<void> {
  if (stack.disposed) await dispose();
  else stack.defer(dispose);
}
