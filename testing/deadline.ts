/** An end for what a stage under test may never come to. @module */
import { LATE, settledWithin } from "../core/settled_within.ts";

/** How long (ms) a run of the kit, or one check of the suite, may take unless its options say otherwise. */
export const DEADLINE_MS = 30_000;

/**
 * Resolves or rejects as `work` does, by the system's own clock, whatever clock the world has: a stage that waits for
 * what never comes fails its test in words.
 * @throws {Error} after `ms`
 */
export async function inTime<T>(what: string, ms: number | undefined, work: () => Promise<T>): Promise<T> {
  const limit = ms ?? DEADLINE_MS;
  const ended = await settledWithin(limit, work());
  if (ended !== LATE) return ended;
  throw new Error(
    `${what} has not ended within ${limit} ms: its open, plan, apply or disposal awaits what does not come; ` +
      "deadlineMs in the options sets another limit",
  );
}
