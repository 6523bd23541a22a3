/**
 * A file system in memory for the tests: the whole port and the synchronous primitives, with several devices, faults on
 * demand, and a difference between what was written and what was flushed, so that a crash loses what it may lose.
 * Paths are POSIX.
 * @module
 */
import type {
  Barrier,
  DirEntry,
  FileHandle,
  FileStat,
  SmallJob,
  SmallJobResult,
  SpaceInfo,
} from "../core/io/file_system.ts";
import { runSmallJob } from "../core/io/small_jobs.ts";
import { MemoryDisk } from "./memory_disk.ts";
import type { MemoryHandle } from "./memory_handle.ts";
import { CrashError, type FaultHook, type MountOptions, type Seed, type SeedOptions } from "./memory_types.ts";
import type { Unflushed } from "./memory_types.ts";

export { CrashError, systemError } from "./memory_types.ts";
export type { Fault, FaultCall, FaultHook, MountOptions, Operation } from "./memory_types.ts";
export type { Seed, SeedOptions, Unflushed } from "./memory_types.ts";

/** How a file system in memory begins. */
export interface MemoryOptions {
  /** Milliseconds since 1970; drives mtime, ctime (whole seconds, as the runtime gives it) and birth time. */
  now?: () => number;
  /** Folders that are devices of their own, made as the file system starts. `/` is always one. */
  mounts?: Record<string, MountOptions>;
  /** What stands there from the beginning, flushed. */
  files?: Seed;
}

class AsyncMemoryHandle implements FileHandle {
  readonly #handle: MemoryHandle;

  constructor(handle: MemoryHandle) {
    this.#handle = handle;
  }

  get medium() {
    return this.#handle.medium;
  }

  read = (buffer: Uint8Array) => later(() => this.#handle.read(buffer));
  write = (bytes: Uint8Array) => later(() => this.#handle.write(bytes));
  stat = () => later(() => this.#handle.stat());
  sync = () => later(() => this.#handle.sync());
  setMtime = (mtimeMs: number) => later(() => this.#handle.setMtime(mtimeMs));
  truncate = (bytes: number) => later(() => this.#handle.truncate(bytes));
  seek = (offset: number) => later(() => this.#handle.seek(offset));
  tryLock = () => later(() => this.#handle.tryLock());
  close = () => later(() => this.#handle.close());
  [Symbol.asyncDispose] = () => this.close();
}

/** Does it at once, but answers as a promise: what throws rejects. */
function later<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * The port `FileSystem` of the engine, in memory.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MemoryFileSystem } from "labferry/testing";
 *
 * const fs = new MemoryFileSystem({ mounts: { "/nas": { capacity: 2 ** 20 } }, files: { "/nas/a.txt": "alpha" } });
 * fs.unmount("/nas");
 * assert.equal(await fs.lstat("/nas/a.txt"), undefined);
 * fs.remount("/nas");
 * assert.equal(await fs.readText("/nas/a.txt"), "alpha");
 * ```
 */
export class MemoryFileSystem {
  /** How many small jobs may run at a time. */
  readonly smallParallel = 2;
  /**
   * The disk underneath: synchronous calls, faults, crash and restart.
   * @internal
   */
  readonly disk: MemoryDisk;

  /** Makes one, empty unless `files` says otherwise. */
  constructor(options: MemoryOptions = {}) {
    this.disk = new MemoryDisk(options.now ?? (() => 1_700_000_000_000));
    for (const [path, mount] of Object.entries(options.mounts ?? {})) this.disk.mount(path, mount);
    if (options.files) this.disk.seed(options.files);
  }

  /** Called before every primitive; may throw a system error or a `CrashError`, or return a `Fault`. */
  set fault(hook: FaultHook | undefined) {
    this.disk.fault = hook;
  }

  /** How many primitives were called so far: crash at each of them in turn. */
  get calls(): number {
    return this.disk.calls;
  }

  /** Puts files (`"text"` or bytes), folders (`"/a/": ""`) and links (`{ link }`) in place, flushed, parents made. */
  seed(files: Seed, options: SeedOptions = {}): void {
    this.disk.seed(files, options);
  }

  /** Every file below `root` as text, by path; empty folders as `path/`, links as `-> target`. */
  tree(root = "/"): Record<string, string> {
    return this.disk.tree(root);
  }

  /** The bytes of a file. */
  bytes(path: string): Uint8Array {
    return this.disk.bytes(path);
  }

  /** Makes a folder a device of its own. */
  mount(path: string, options: MountOptions = {}): void {
    this.disk.mount(path, options);
  }

  /** Takes a mount away; the folder beneath shows, empty. The device keeps its content for `remount`. */
  unmount(path: string): void {
    this.disk.unmount(path);
  }

  /** Brings back what `unmount` took away. */
  remount(path: string): void {
    this.disk.remount(path);
  }

  /** From now on everything fails with `CrashError`. */
  crash(): void {
    this.disk.crash();
  }

  /** After a crash: locks are gone, handles are dead, and of what was not flushed `lose` decides. Default: keep all. */
  restart(lose: (what: Unflushed) => boolean | "zeros" = () => false): void {
    this.disk.restart(lose);
  }

  /** What stands at a path, links not followed. */
  lstat = (path: string): Promise<FileStat | undefined> => later(() => this.disk.lstat(path));
  /** Entries of a folder. */
  readDir = (path: string): Promise<DirEntry[]> => later(() => this.disk.readDir(path));
  /** The path with all links resolved. */
  realPath = (path: string): Promise<string> => later(() => this.disk.realPath(path));
  /** Makes a folder; false when it is there. */
  mkdir = (path: string): Promise<boolean> => later(() => this.disk.mkdir(path));
  /** Opens a file for reading; `fresh`: from the medium. */
  openRead = (path: string, options: { fresh?: boolean } = {}): Promise<FileHandle> =>
    later(() => new AsyncMemoryHandle(this.disk.openRead(path, { fresh: options.fresh ?? false })));
  /** Creates a file that must not be there. */
  createNew = (path: string): Promise<FileHandle> => later(() => new AsyncMemoryHandle(this.disk.createNew(path)));
  /** Opens a file for both. */
  openReadWrite = (path: string, options: { create?: boolean } = {}): Promise<FileHandle> =>
    later(() => new AsyncMemoryHandle(this.disk.openReadWrite(path, options)));
  /** Gives a file a second name. */
  link = (from: string, to: string): Promise<void> => later(() => this.disk.link(from, to));
  /** Renames; what has the name gives way. */
  rename = (from: string, to: string): Promise<void> => later(() => this.disk.rename(from, to));
  /** Renames unless the name is taken; undefined where that cannot be told. */
  renameNew = (from: string, to: string): Promise<boolean | undefined> => later(() => this.disk.renameNew(from, to));
  /** Removes a file or a link. */
  removeFile = (path: string): Promise<void> => later(() => this.disk.removeFile(path));
  /** Removes an empty folder. */
  removeEmptyDir = (path: string): Promise<void> => later(() => this.disk.removeEmptyDir(path));
  /** Sets when the bytes changed, ms since 1970. */
  setMtime = (path: string, mtimeMs: number): Promise<void> => later(() => this.disk.setMtime(path, mtimeMs));
  /** Flushes the names of a folder. */
  syncDir = (path: string): Promise<void> => later(() => this.disk.syncDir(path));
  /** The space of the device, bytes. */
  space = (path: string): Promise<SpaceInfo> => later(() => this.disk.space(path));
  /** The text of a file. */
  readText = (path: string): Promise<string> => later(() => this.disk.readText(path));

  /**
   * Runs a job of small files.
   * @internal
   */
  runSmall(job: SmallJob, signal: AbortSignal): Promise<SmallJobResult> {
    return later(() => {
      signal.throwIfAborted();
      const result = runSmallJob(this.disk, job);
      // A dead machine gives no results, not even of failures.
      if (this.disk.crashed) throw new CrashError();
      return result;
    });
  }

  /**
   * Opens a flush barrier.
   * @internal
   */
  openBarrier(folder: string): Promise<Barrier | undefined> {
    return later(() => {
      const barrier = this.disk.openBarrier(folder);
      if (barrier === undefined) return undefined;
      return { dev: barrier.dev, flush: () => later(barrier.flush), [Symbol.asyncDispose]: () => Promise.resolve() };
    });
  }
}
