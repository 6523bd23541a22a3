/** Lets everything else have its turn while a loop has much to do. @module */

/** How long a loop goes on before timers, signals and sockets get a turn, in ms. */
const TURN_MS = 20;

/**
 * A function for loops whose steps may all end at once, such as those of the journal: promises alone never let a timer,
 * a signal or a deadline come in between. Called at each step, it waits for those every 20 ms.
 */
export function turns(everyMs: number = TURN_MS): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < everyMs) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    since = performance.now();
  };
}
