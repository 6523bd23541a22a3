/**
 * What every operation on an object place shares: the store with its trust, the journal's uploads, and the bounds on
 * memory and requests.
 * @module
 */
import { LARGEST_PART_BYTES } from "../contract.ts";
import type { UploadSettings } from "../contract.ts";
import type { ProbeStore, UploadStore } from "../journal/journal.ts";
import type { Clock, Logger } from "../ports.ts";
import { Budget, Gate } from "./budget.ts";
import { explain } from "./explain.ts";
import { objectUri } from "./keys.ts";
import type { ObjectStore } from "./object_store.ts";
import { openTrust, type Trust } from "./probe.ts";
import { type Patience, retrying, type RetryPolicy } from "./retry.ts";

/** Memory for bodies of all uploads and read-backs of a run. */
export const DEFAULT_BUDGET_BYTES = LARGEST_PART_BYTES;

/** Up to this size the time of a request is latency, not bytes. */
const SMALL_BYTES = 2 ** 20;
/** How many small objects, or small reads, stand for one large one: enough to hide the latency of a proof. */
export const SMALL_PER_LARGE = 4;

/** Returns what a transfer of `bytes` weighs in a gate of `parallel * SMALL_PER_LARGE` units. */
export function weightOf(bytes: number): number {
  return bytes <= SMALL_BYTES ? 1 : SMALL_PER_LARGE;
}

/** One object place in one run. For a narrower signal: `{ ...session, signal }`. */
export interface ObjectSession {
  readonly store: ObjectStore;
  readonly trust: Trust;
  readonly uploads: UploadStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly patience?: Patience;
  readonly settings: UploadSettings;
  readonly budget: Budget;
  /** Requests with a body that may be under way at once: `settings.parallel`. */
  readonly gate: Gate;
  /** Reads that may be under way at once, in units of `SMALL_PER_LARGE`. */
  readonly readGate: Gate;
  readonly retry?: RetryPolicy;
}

/** What `openObjects` needs. `prefix` is that of the place; share one `budget` between the places of a run. */
export interface ObjectSessionOptions {
  store: ObjectStore;
  probes: ProbeStore;
  uploads: UploadStore;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** Aborted when the run is asked to stop: no request is tried again then. */
  stop?: AbortSignal;
  settings: UploadSettings;
  prefix: string;
  budget?: Budget;
  retry?: RetryPolicy;
}

/** Opens an object place. Sends nothing; the store stays the caller's to dispose of. */
export function openObjects(options: ObjectSessionOptions): ObjectSession {
  const { store, uploads, clock, log, signal, stop, settings, retry } = options;
  const patience = stop && { stop, isOver: false };
  return {
    store,
    uploads,
    clock,
    log,
    signal,
    patience,
    settings,
    retry,
    trust: openTrust({ ...options, patience }),
    budget: options.budget ?? new Budget(DEFAULT_BUDGET_BYTES),
    gate: new Gate(Math.max(1, settings.parallel)),
    readGate: new Gate(Math.max(1, settings.parallel) * SMALL_PER_LARGE),
  };
}

/** Sends one request that is safe to repeat, with retries. Rejects with the last `ObjectStoreError`. */
export function request<T>(session: ObjectSession, doing: string, act: (attempt: number) => Promise<T>): Promise<T> {
  const { clock, log, signal, patience, retry: policy } = session;
  return retrying(act, { clock, log, signal, patience, policy, doing });
}

/** Runs `act`; failures of the store are thrown as `PipelineError`s about the object at `key`. */
export async function inWords<T>(
  session: ObjectSession,
  about: { verb: string; key: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    session.signal.throwIfAborted();
    const thing = about.key === "" ? session.store.uri : objectUri(session.store.uri, about.key);
    throw explain(error, { verb: about.verb, thing, now: session.clock.now() });
  }
}
