/**
 * The few synchronous calls that work on small files is made of. A disk runs them in threads of its own, the
 * in-memory world of the tests inline; the algorithms above (`small_jobs.ts`) are the same.
 * @module
 */
import type { FileStat, Medium } from "./file_system.ts";

/** An open file, synchronously. Calls throw the system's error. */
export interface SyncHandle {
  readonly medium: Medium;
  stat(): FileStat;
  /** Reads at most `buffer.length` bytes at the cursor; 0 at the end. */
  read(buffer: Uint8Array): number;
  /** Writes all of `bytes` at the cursor. */
  write(bytes: Uint8Array): void;
  setMtime(mtimeMs: number): void;
  sync(): void;
  close(): void;
}

export interface SyncPrimitives {
  lstat(path: string): FileStat | undefined;
  /**
   * Whether something is there. Cheaper than `lstat` where nothing is; what cannot be seen counts as not there, so this
   * only serves callers that never replace.
   */
  mayStand(path: string): boolean;
  openRead(path: string, options: { fresh: boolean }): SyncHandle;
  createNew(path: string): SyncHandle;
  /** Flushes a file that is there already. */
  syncFile(path: string): void;
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  renameNew(from: string, to: string): boolean | undefined;
  removeFile(path: string): void;
  syncDir(path: string): void;
  /** A buffer that reads may use without copying, at least `bytes` long. */
  buffer(bytes: number): Uint8Array;
}
