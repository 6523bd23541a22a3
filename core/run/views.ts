/**
 * What plugins see of the engine's own: copies and frozen views, so that nothing a plugin does to what it was given
 * changes what the engine works with. A view acts as the thing itself, and assigning to it throws.
 * @module
 */
import type { Item, Notifier, StandardPlugin } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { frozenCopy } from "../frozen.ts";
import { logData, logWords } from "./log_data.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { Clock, ItemFailure, Logger, RunContext } from "../ports.ts";

/** The item as the engine keeps it, and as everybody sees it: one object that nobody can change. */
export function frozenItem<T extends Item>(item: T): T {
  return Object.freeze({ ...item, data: frozenCopy(item.data) });
}

/** A clock of the plugins' own. */
export const clockView: (clock: Clock) => Clock = oncePer((clock: Clock) =>
  Object.freeze({
    now: () => clock.now(),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
  })
);

/** A log of the plugins' own. */
export const logView: (log: Logger) => Logger = oncePer((log: Logger) =>
  Object.freeze<Logger>({
    debug: (message, data) => log.debug(logWords(message), logData(data)),
    info: (message, data) => log.info(logWords(message), logData(data)),
    warn: (message, data) => log.warn(logWords(message), logData(data)),
    error: (message, data) => log.error(logWords(message), logData(data)),
  })
);

/** A signal that follows the engine's. Frozen it would never be aborted; what it says of that is fixed. */
export const signalView: (signal: AbortSignal) => AbortSignal = oncePer((signal: AbortSignal) =>
  Object.defineProperties(AbortSignal.any([signal]), {
    aborted: { get: () => signal.aborted },
    reason: { get: () => signal.reason },
    throwIfAborted: { value: () => signal.throwIfAborted() },
  })
);

/** A standard that judges as the registered one does. */
export const standardView: (standard: StandardPlugin) => StandardPlugin = oncePer((standard: StandardPlugin) =>
  Object.freeze({
    ...standard,
    check: (...about: Parameters<StandardPlugin["check"]>) => standard.check(...about),
  })
);

/** A notifier that delivers, for the stages that share it; the run opened it and ends it. */
export const notifierView: (notifier: Notifier) => Notifier = oncePer((notifier: Notifier) =>
  Object.freeze({ deliver: (...message: Parameters<Notifier["deliver"]>) => notifier.deliver(...message) })
);

/** The run as plugins see it. */
export function runView(run: RunContext): RunContext {
  return Object.freeze({
    ...run,
    config: frozenCopy(run.config),
    signal: signalView(run.signal),
    log: logView(run.log),
    clock: clockView(run.clock),
    standard: (name: string) => standardView(run.standard(name)),
  });
}

/** What every context of an item or a source shares. */
export function servicesView(
  { log, clock }: { log: Logger; clock: Clock },
  signal: AbortSignal,
): { signal: AbortSignal; log: Logger; clock: Clock } {
  return { signal: signalView(signal), log: logView(log), clock: clockView(clock) };
}

/** Why an item failed, for its handlers: what they do to the error changes neither report nor exit code. */
export function failureView(failure: ItemFailure | undefined): ItemFailure | undefined {
  if (failure === undefined) return undefined;
  const { code, message, hint, retry, stopsRun, findings, cause, stack } = failure.error;
  const error = new PipelineError(code, message, {
    hint,
    retry,
    stopsRun,
    findings: Object.freeze(findings.map((finding) => Object.freeze({ ...finding }))),
    cause,
  });
  // Handlers may tell errors apart by their class, and say where one came from.
  Object.setPrototypeOf(error, Object.getPrototypeOf(failure.error));
  Object.defineProperty(error, "stack", { value: stack });
  return Object.freeze({ ...failure, error: Object.freeze(error) });
}

/** A record of the ledger to look at. */
export function recordView(record: LedgerRecord | undefined): LedgerRecord | undefined {
  return record && frozenCopy(record);
}

/** Makes one view of a thing, however often it is asked for. */
function oncePer<T extends object>(view: (of: T) => T): (of: T) => T {
  const made = new WeakMap<T, T>();
  return (of) => {
    const known = made.get(of) ?? view(of);
    made.set(of, known);
    return known;
  };
}
