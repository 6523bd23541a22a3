/**
 * The synchronous primitives on a real disk.
 * @module
 */
import { DirectCursor } from "./direct_cursor.ts";
import { canReadFresh, type FreshFile, openFresh } from "./disk_fresh.ts";
import { expectFile, expectSame, fileStat, osPath, systemError } from "./disk_stat.ts";
import type { FileStat } from "./file_system.ts";
import { errnoOf, isAbsent } from "./io_errors.ts";
import { alignedBuffer, canBeSeen, renameNoReplace } from "./native.ts";
import type { SyncHandle, SyncPrimitives } from "./sync_primitives.ts";
import { unlinkSync } from "./unlink.ts";
import { Patience } from "./windows.ts";

const WINDOWS = Deno.build.os === "windows";

class PlainHandle implements SyncHandle {
  readonly medium = "cached";
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  stat = () => fileStat(this.#file.statSync());
  read = (buffer: Uint8Array) => this.#file.readSync(buffer) ?? 0;
  setMtime = (mtimeMs: number) => this.#file.utimeSync(new Date(), new Date(mtimeMs));
  sync = () => this.#file.syncSync();
  close = () => this.#file.close();

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(at === 0 ? bytes : bytes.subarray(at));
  }
}

/** Reads past the page cache, or after dropping it; cannot write. */
class FreshHandle implements SyncHandle {
  readonly medium;
  readonly #file: FreshFile;
  readonly #cursor: DirectCursor | undefined;

  constructor(path: string, stat: FileStat) {
    this.#file = openFresh(path, stat);
    this.medium = this.#file.medium;
    this.#cursor = this.#file.aligned ? new DirectCursor(stat.size) : undefined;
  }

  stat = () => this.#file.stat();

  read(buffer: Uint8Array): number {
    if (this.#cursor === undefined) return this.#file.readSync(buffer, null);
    const next = this.#cursor.next(buffer);
    if (next === undefined) return 0;
    return this.#cursor.took(next, buffer, this.#file.readSync(next.target, next.position));
  }

  write(): void {
    throw systemError("EBADF", "a file opened for fresh reads cannot be written");
  }

  setMtime(): void {
    this.write();
  }

  sync(): void {
    this.write();
  }

  close = () => this.#file.close();
}

/** Whether a file system answered that folders cannot be flushed (some network shares); their server keeps the names. */
export function hasNoFolderFlush(error: unknown): boolean {
  return ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(error) ?? "");
}

/** Runs a rename or unlink again while another program holds the file (Windows). */
export function whileBusySync<T>(work: () => T, patience: Patience): T {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 1, waitedMs = 0;; attempt++) {
    try {
      const result = work();
      patience.succeeded();
      return result;
    } catch (error) {
      const ms = patience.delay({ code: errnoOf(error), attempt, waitedMs });
      if (ms === undefined) throw error;
      Atomics.wait(pause, 0, 0, ms);
      waitedMs += ms;
    }
  }
}

/** The primitives of the disk of this machine; one per thread. */
export class DiskPrimitives implements SyncPrimitives {
  readonly #patience = new Patience();
  #buffer = alignedBuffer(64 * 1024);

  lstat(path: string): FileStat | undefined {
    try {
      return fileStat(Deno.lstatSync(osPath(path)));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  mayStand(path: string): boolean {
    return canBeSeen(path) ?? this.lstat(path) !== undefined;
  }

  openRead(path: string, options: { fresh: boolean }): SyncHandle {
    const before = expectFile(path, this.lstat(path));
    const handle = options.fresh && canReadFresh
      ? new FreshHandle(path, before)
      : new PlainHandle(Deno.openSync(osPath(path)));
    try {
      expectSame(path, before, handle.stat());
      return handle;
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  createNew(path: string): SyncHandle {
    return new PlainHandle(Deno.openSync(osPath(path), { read: true, write: true, createNew: true }));
  }

  syncFile(path: string): void {
    expectFile(path, this.lstat(path));
    // Windows flushes only through a handle that may write.
    using file = Deno.openSync(osPath(path), { read: true, write: WINDOWS });
    file.syncSync();
  }

  link(from: string, to: string): void {
    Deno.linkSync(osPath(from), osPath(to));
  }

  rename(from: string, to: string): void {
    whileBusySync(() => Deno.renameSync(osPath(from), osPath(to)), this.#patience);
  }

  renameNew(from: string, to: string): boolean | undefined {
    if (renameNoReplace(from, to)) return true;
    // Taken, or not supported here: the name itself tells.
    return this.lstat(to) === undefined ? undefined : false;
  }

  removeFile(path: string): void {
    // The runtime's call would remove an empty folder too.
    if (this.lstat(path)?.kind === "directory") throw systemError("EISDIR", `"${path}" is a folder`);
    whileBusySync(() => unlinkSync(osPath(path)), this.#patience);
  }

  syncDir(path: string): void {
    if (WINDOWS) return;
    using folder = Deno.openSync(path);
    try {
      folder.syncSync();
    } catch (error) {
      if (!hasNoFolderFlush(error)) throw error;
    }
  }

  buffer(bytes: number): Uint8Array {
    if (this.#buffer.length < bytes) this.#buffer = alignedBuffer(bytes);
    return this.#buffer;
  }
}
