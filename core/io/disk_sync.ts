/**
 * The synchronous primitives on a real disk.
 * @module
 */
import fs from "node:fs";
import { DirectCursor, openFresh } from "./disk_fresh.ts";
import type { FileStat } from "./file_system.ts";
import { errnoOf, isAbsent } from "./io_errors.ts";
import { alignedBuffer, renameNoReplace } from "./native.ts";
import type { SyncHandle, SyncPrimitives } from "./sync_primitives.ts";
import { longPath, Patience } from "./windows.ts";

const WINDOWS = Deno.build.os === "windows";

/** The path as the system takes it. */
export const osPath: (path: string) => string = WINDOWS ? longPath : (path) => path;

/** The engine's view of what the runtime says of an entry. */
export function fileStat(info: Deno.FileInfo): FileStat {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "directory" : info.isSymlink ? "symlink" : "other",
    dev: info.dev ?? null,
    ino: info.ino ?? null,
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? null,
    ctimeMs: info.ctime?.getTime() ?? null,
    birthtimeMs: info.birthtime?.getTime() ?? null,
  };
}

/** A system error as the runtime would throw it. */
export function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (${code})`), { code });
}

/** Refuses a file that is another than the one looked at before it was opened: a link was put in its place. */
export function expectSame(path: string, before: FileStat, opened: FileStat): void {
  if (before.dev === opened.dev && before.ino === opened.ino && before.kind === opened.kind) return;
  throw systemError("ELOOP", `another file was put in the place of "${path}" while it was opened`);
}

/** Refuses links and absence before a file is opened, since the runtime would follow a link. */
export function expectFile(path: string, stat: FileStat | undefined): FileStat {
  if (stat === undefined) throw systemError("ENOENT", `no such file "${path}"`);
  if (stat.kind === "symlink") throw systemError("ELOOP", `"${path}" is a symbolic link`);
  if (stat.kind === "directory") throw systemError("EISDIR", `"${path}" is a folder`);
  // Opening a named pipe or a device could wait for ever.
  if (stat.kind !== "file") throw systemError("EINVAL", `"${path}" is no plain file`);
  return stat;
}

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
  readonly #fd: number;
  readonly #stat: FileStat;
  readonly #cursor: DirectCursor | undefined;

  constructor(path: string, stat: FileStat) {
    const { fd, medium } = openFresh(path, stat);
    this.#fd = fd;
    this.medium = medium;
    this.#stat = stat;
    this.#cursor = medium === "direct" ? new DirectCursor(stat.size) : undefined;
  }

  stat = () => fdStat(this.#fd, this.#stat);

  read(buffer: Uint8Array): number {
    if (this.#cursor === undefined) return fs.readSync(this.#fd, buffer, 0, buffer.length, null);
    const next = this.#cursor.next(buffer);
    if (next === undefined) return 0;
    const got = fs.readSync(this.#fd, next.target, 0, next.target.length, next.position);
    return this.#cursor.took(next, buffer, got);
  }

  write(): void {
    throw systemError("EBADF", "a file opened for fresh reads cannot be written");
  }

  setMtime(): void {
    this.write();
  }

  sync = () => fs.fsyncSync(this.#fd);
  close = () => fs.closeSync(this.#fd);
}

/** The stat of a descriptor in the same form, and with the same precision, as the runtime's own. */
export function fdStat(fd: number, like: FileStat): FileStat {
  const info = fs.fstatSync(fd);
  const kind = info.isFile() ? "file" : info.isDirectory() ? "directory" : "other";
  return {
    kind,
    dev: info.dev,
    ino: info.ino,
    size: info.size,
    mtimeMs: Math.floor(info.mtimeMs),
    ctimeMs: like.ctimeMs === null ? null : Math.floor(info.ctimeMs),
    birthtimeMs: like.birthtimeMs,
  };
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

  openRead(path: string, options: { fresh: boolean }): SyncHandle {
    const before = expectFile(path, this.lstat(path));
    const handle = options.fresh && Deno.build.os === "linux"
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
    whileBusySync(() => Deno.removeSync(osPath(path)), this.#patience);
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
