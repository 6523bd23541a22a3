/** An abort of one's own that also follows another signal, and lets go of it when disposed of. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
  abort(why: string): void;
}

/** Unlike `AbortSignal.any` it leaves nothing behind on a signal that lives as long as the run. */
export function linkedAbort(outer: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const follow = () => controller.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort: (why) => controller.abort(new DOMException(why, "AbortError")),
    [Symbol.dispose]: () => outer.removeEventListener("abort", follow),
  };
}
