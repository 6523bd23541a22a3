/**
 * Work under an OS lock on a file that stays: short critical sections between processes and hosts.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { FileHandle, FileSystem } from "../io/file_system.ts";
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
