/** Items of a source until a run is asked to stop. @module */
import { orAborted } from "../or_aborted.ts";

/**
 * Until the source has heard the signal and ended; whatever it then throws is its way to end. It is waited for: a scan
 * must not go on in folders whose locks are given back.
 */
export async function* untilEnded<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orUndefined(iterator.next(), signal);
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Until the signal, even if the source goes on waiting for what never comes: then it is left behind. */
export async function* untilStopped<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    while (!signal.aborted) {
      const next = await orUndefined(orAborted(iterator.next(), signal), signal);
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    await orUndefined(orAborted(Promise.resolve(iterator.return?.()), signal), signal);
  }
}

function orUndefined<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return next.catch((error) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}
