/**
 * The OS lock of a file, without waiting for it. Runtimes before Deno 2.9, over which a build may be checked, can only
 * wait: there the wait is cut off.
 * @module
 */

import { LATE, settledWithin } from "../settled_within.ts";

/** How long (ms) a runtime that cannot try waits for a lock that nobody holds. */
const WAIT_MS = 250;

/** The part of an open file that locks. */
export interface LockableFile {
  tryLock?(exclusive?: boolean): Promise<boolean>;
  lock(exclusive?: boolean): Promise<void>;
  unlock(): Promise<void>;
}

/** Takes the exclusive lock; false when another holds it. */
export async function tryLock(file: LockableFile, waitMs: number = WAIT_MS): Promise<boolean> {
  if (typeof file.tryLock === "function") return await file.tryLock(true);
  const taken = file.lock(true).then(() => true);
  if (await settledWithin(waitMs, taken) !== LATE) return true;
  // It comes when the holder lets go, and nobody here wants it any more. A file that was closed by then has none.
  taken.then(() => file.unlock()).catch(() => {});
  return false;
}

/** The same without a promise; a runtime that cannot try does not get it. */
export function tryLockSync(file: { tryLockSync?(exclusive?: boolean): boolean }): boolean {
  return typeof file.tryLockSync === "function" && file.tryLockSync(true);
}
