/** Opening what lives as long as a run. What hangs then must hold no run that is told to stop now. @module */
import { PipelineError } from "../errors.ts";
import { disposeOf, disposeWith, type Disposing } from "./left_behind.ts";
import { Lease } from "./lease.ts";
import { stoppedError } from "./stopped.ts";

/** Whose end closes what is opened. */
interface Until {
  abort: AbortSignal;
  stack: AsyncDisposableStack;
  disposing: Disposing;
}

/**
 * Opens it and has it disposed of with the run; `what` names it. @throws {PipelineError} `run/stopped`, or why the run
 * broke off, when it does not open though that was told to stop now
 */
export async function openForRun<T extends Partial<AsyncDisposable>>(
  what: string,
  open: () => T | Promise<T>,
  { abort, stack, disposing }: Until,
): Promise<T> {
  const { deadlines: { leaveMs }, left, log } = disposing;
  using lease = new Lease(what, { abort, leaveMs, left, log });
  const opening = (async () => {
    const opened = await open();
    await disposeWith(stack, () => disposeOf(what, opened, disposing));
    return opened;
  })();
  try {
    return await lease.ended(opening, () => log.warn(`Cannot open ${what}: it does not end, and is left behind`));
  } catch (cause) {
    if (!lease.isLeft || cause instanceof PipelineError) throw cause;
    throw stoppedError();
  }
}
