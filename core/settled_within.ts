/**
 * Work that must not hold anything up.
 * @module
 */

/** Stands for work that has not ended in time. */
export const LATE: unique symbol = Symbol("late");

/**
 * Resolves or rejects as `work` does, or resolves with `LATE` after `ms`; the work then goes on by itself, and what it
 * throws is nobody's. The timer is the system's and keeps the process alive.
 */
export async function settledWithin<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(resolve, ms, LATE);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
