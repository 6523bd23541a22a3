/**
 * Waiting that a signal ends.
 * @module
 */

/**
 * Resolves or rejects as `work` does, or rejects with the signal's reason once that is aborted; the work then goes on by
 * itself, and what it throws is nobody's. Nothing is kept at the signal, however long that lives and whatever is waited
 * for under it.
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    const settle = <V>(by: (value: V) => void) => (value: V) => {
      signal.removeEventListener("abort", onAbort);
      by(value);
    };
    work.then(settle(resolve), settle(reject));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
