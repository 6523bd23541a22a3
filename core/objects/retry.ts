/**
 * Retry of single requests to an object store: exponential backoff with jitter, bounded, on the run's clock.
 * @module
 */
import type { Clock, Logger } from "../ports.ts";
import { ObjectStoreError, type StoreErrorKind } from "./object_store.ts";

/** How often and how patiently one request is tried. */
export interface RetryPolicy {
  /** Tries in all; at least 1. */
  attempts: number;
  /** Longest first pause, in ms; doubles with every try. */
  firstMs: number;
  /** Longest pause, in ms. */
  maxMs: number;
  /** Uniform in [0, 1). */
  random?: () => number;
}

/** About two minutes of patience: enough for a store to restart, or to stop throttling. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 8, firstMs: 500, maxMs: 30_000 };

/** Bytes damaged on the way may arrive whole the next time; a source of damage that stays must not be hammered. */
const DIGEST_ATTEMPTS = 3;

/** The wish to stop, as the requests to one store share it. */
export interface Patience {
  /** Aborted when the run is asked to stop: what failed once is not tried again. */
  readonly stop: AbortSignal;
  /** Whether a request failed since then: of a store that does not answer nothing more is asked. */
  isOver: boolean;
}

/** What `retrying` needs. */
export interface RetryOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Without it there is all the patience of the policy. */
  patience?: Patience;
  log: Logger;
  policy?: RetryPolicy;
  /** For the log: `upload part 3 of "s3://bucket/key"`. */
  doing: string;
}

/** Returns the pause in ms before try `attempt + 1`: between half of and the whole of the doubled first pause. */
export function pauseBefore(attempt: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.maxMs, policy.firstMs * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + (policy.random ?? Math.random)() / 2));
}

/** Whether a failure of this kind may pass by itself. */
export function isTransient(kind: StoreErrorKind): boolean {
  return kind === "throttled" || kind === "unreachable";
}

/**
 * Runs `act` until it succeeds, fails for good, or has been tried often enough; then throws the last error, which says
 * how often and for how long it was tried. Only `ObjectStoreError`s that may pass are tried again, and none once the run
 * was asked to stop: the kind is `stopped` then, and the next run tries again.
 */
export async function retrying<T>(act: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, log, policy = DEFAULT_RETRY, doing, patience } = options;
  const startedAt = clock.now();
  let damaged = 0;
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    if (patience?.isOver) throw new ObjectStoreError("stopped", "it is asked for nothing more");
    try {
      return await act(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ObjectStoreError)) throw error;
      const again = isTransient(error.kind) || (error.kind === "bad-digest" && ++damaged < DIGEST_ATTEMPTS);
      if (!again || attempt >= policy.attempts) {
        throw attempt === 1 ? error : withEffort(error, attempt, clock.now() - startedAt);
      }
      if (patience?.stop.aborted) throw stopped(error, patience);
      const pause = pauseBefore(attempt, policy);
      log.info(`Trying again in ${pause} ms to ${doing}: ${error.message} (${attempt} of ${policy.attempts})`, {
        kind: error.kind,
      });
      try {
        await clock.sleep(pause, patience ? AbortSignal.any([signal, patience.stop]) : signal);
      } catch (cause) {
        signal.throwIfAborted();
        throw patience?.stop.aborted ? stopped(error, patience) : cause;
      }
    }
  }
}

function stopped(cause: ObjectStoreError, patience: Patience): ObjectStoreError {
  if (isTransient(cause.kind)) patience.isOver = true;
  return new ObjectStoreError("stopped", cause.message, { cause });
}

function withEffort(error: ObjectStoreError, attempts: number, ms: number): ObjectStoreError {
  return new ObjectStoreError(error.kind, `${error.message} (tried ${attempts} times in ${Math.round(ms / 1000)} s)`, {
    cause: error,
    status: error.status,
    serverDate: error.serverDate,
  });
}
