/**
 * The OS lock `<journal>.lock`: held while the write-ahead log is folded into the database, and while a dry run copies
 * both. SQLite's own locks cannot be taken from outside, and opening the live database would write.
 * @module
 */

import { tryLock } from "../io/try_lock.ts";

const RETRY_MS = 20;

/** Opens the lock file beside the journal, without locking it yet. */
export async function openLock(journal: string): Promise<Deno.FsFile> {
  return await Deno.open(`${journal}.lock`, { read: true, write: true, create: true });
}

/** Takes the lock, waiting at most `ms`; false when another held it all the time. */
export async function holdLock(file: Deno.FsFile, ms: number): Promise<boolean> {
  // Real time on purpose: the other side is a real process that copies or folds for a moment.
  for (const end = performance.now() + ms; performance.now() < end;) {
    if (await tryLock(file)) return true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return false;
}
