/** A journal whose calls wait while something else is to happen first. @module */
import type { Journal } from "../core/journal/journal.ts";

/** Returns the journal behind a gate: while `gate` gives a promise, calls wait for it. */
export function gatedJournal(journal: Journal, gate: () => Promise<unknown> | undefined): Journal {
  return gated(journal, gate) as Journal;
}

function gated(target: object, gate: () => Promise<unknown> | undefined): object {
  return new Proxy(target, {
    get(real, key) {
      const value = Reflect.get(real, key, real);
      if (typeof value === "object" && value !== null) return gated(value, gate);
      if (typeof value !== "function") return value;
      // What is iterated over is no promise.
      if (typeof key === "symbol" || key === "list") return value.bind(real);
      return (...given: unknown[]) => {
        const waiting = gate();
        return waiting === undefined ? value.apply(real, given) : waiting.then(() => value.apply(real, given));
      };
    },
  });
}
