/**
 * Work under an OS lock on a file that stays: short critical sections between processes and hosts.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { systemClock } from "../io/clock.ts";
import type { FileHandle, FileSystem } from "../io/file_system.ts";
import { errnoOf } from "../io/io_errors.ts";
import { isSameFile } from "../io/same.ts";
import type { Clock } from "../ports.ts";

export interface FileLockOptions {
  fs: FileSystem;
  /** OS path of the lock file; created when absent and never removed. */
  path: string;
  clock: Clock;
  /** How long to wait for another holder, in ms. */
  waitMs: number;
  signal?: AbortSignal;
}

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;

/**
 * Runs `work` while this process holds the lock. The lock dies with the process.
 * @throws {PipelineError} `lock/timeout` when another holder kept it for `waitMs`
 */
export async function withFileLock<T>(options: FileLockOptions, work: () => Promise<T>): Promise<T> {
  await using _handle = await lockFile(options);
  return await work();
}

async function lockFile({ fs, path, clock, waitMs, signal }: FileLockOptions): Promise<FileHandle> {
  const end = clock.now() + waitMs;
  for (let wait = FIRST_WAIT_MS;; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    signal?.throwIfAborted();
    const handle = await fs.openReadWrite(path);
    let locked = false;
    try {
      locked = await handle.tryLock() && await isStill(fs, path, handle);
    } finally {
      if (!locked) await handle.close();
    }
    if (locked) return handle;
    if (clock.now() >= end) {
      throw new PipelineError("lock/timeout", `Cannot lock "${path}": another process holds it`, {
        retry: "transient",
        hint: "Run again when that process has ended.",
      });
    }
    await clock.sleep(wait, signal);
  }
}

/**
 * Whether the path still leads to the file that was opened. A removed lock file lets two processes in, each with a lock
 * on a file of its own (measured).
 */
export async function isStill(fs: FileSystem, path: string, handle: FileHandle): Promise<boolean> {
  const [held, named] = [await handle.stat(), await fs.lstat(path)];
  return named !== undefined && isSameFile(held, named);
}

/** What a file system answers about a lock through a handle that may not write: NFS (flock(2), "EBADF"). */
const UNLOCKABLE = "EBADF";
const NOT_WRITABLE: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Opens a lock file that stands, and tries to lock it; makes no file. `locked` is undefined when this account can never
 * know: NFS locks only what may be written.
 */
export async function tryStanding(
  fs: FileSystem,
  path: string,
): Promise<{ handle: FileHandle; locked: boolean | undefined }> {
  const reading = await fs.openRead(path);
  const locked = await tryOpened(reading);
  if (locked !== undefined) return { handle: reading, locked };
  try {
    const writing = await fs.openReadWrite(path, { create: false });
    await reading.close();
    return { handle: writing, locked: await tryOpened(writing) };
  } catch (error) {
    if (NOT_WRITABLE.has(errnoOf(error) ?? "")) return { handle: reading, locked: undefined };
    await reading.close();
    throw error;
  }
}

/** Undefined when the system locks no such handle. Closes the handle when it throws. */
async function tryOpened(handle: FileHandle): Promise<boolean | undefined> {
  try {
    return await handle.tryLock();
  } catch (error) {
    if (errnoOf(error) === UNLOCKABLE) return undefined;
    await handle.close();
    throw error;
  }
}

/** The text of a small file from its open handle; at most `limit` bytes. */
export async function readSmall(handle: FileHandle, limit = 16 * 2 ** 10): Promise<string> {
  await handle.seek(0);
  const bytes = new Uint8Array(limit);
  let got = 0;
  while (got < limit) {
    const n = await handle.read(bytes.subarray(got));
    if (n === 0) break;
    got += n;
  }
  return new TextDecoder().decode(bytes.subarray(0, got));
}

/** Another process that looks at a lock holds it for a moment; only a holder that stays counts. */
const TRIES = 6;
const BETWEEN_TRIES_MS = 25;

/** What Windows answers, for moments, about a file that was removed while somebody still has it open. */
const VANISHING: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EBUSY"]);

/** Whether a system error may pass by itself in a moment. */
export const isVanishing = (error: unknown) => VANISHING.has(errnoOf(error) ?? "");

/** Tries until there is a result; undefined when there never was one. A refusal that stays is thrown. */
export async function severalTries<T>(
  { clock = systemClock, signal }: { clock?: Clock; signal?: AbortSignal },
  work: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let tries = 1;; tries++) {
    signal?.throwIfAborted();
    try {
      const result = await work();
      if (result !== undefined || tries >= TRIES) return result;
    } catch (error) {
      if (!isVanishing(error) || tries >= TRIES) throw error;
    }
    await clock.sleep(BETWEEN_TRIES_MS, signal);
  }
}
