/**
 * The file-system port on a real disk, on the calling thread. `Disk` adds the threads.
 * @module
 */
import fs from "node:fs";
import { decodeText } from "../text.ts";
import type { Barrier, DirEntry, FileHandle, FileStat, FileSystem, SpaceInfo } from "./file_system.ts";
import type { SmallJob, SmallJobResult } from "./file_system.ts";
import { DiskHandle, FreshDiskHandle } from "./disk_handle.ts";
import { canReadFresh } from "./disk_fresh.ts";
import { expectFile, expectSame, fileStat, osPath, systemError } from "./disk_stat.ts";
import { DiskPrimitives, hasNoFolderFlush } from "./disk_sync.ts";
import { errnoOf, isAbsent } from "./io_errors.ts";
import { systemOf, whyCached } from "./linux_systems.ts";
import { hasSyncfs, mayWriteIn, renameNoReplace, syncfs } from "./native.ts";
import { runSmallJob } from "./small_jobs.ts";
import type { Clock } from "../ports.ts";
import { systemClock } from "./clock.ts";
import { unlink } from "./unlink.ts";
import { Patience, shortPath } from "./windows.ts";
import { windowsCalls } from "./windows_library.ts";
import { namedStreams } from "./windows_streams.ts";

const WINDOWS = Deno.build.os === "windows";

/** Runs a rename or unlink again while another program holds the file (Windows). */
export async function whileBusy<T>(
  work: () => Promise<T>,
  options: { patience: Patience; clock: Pick<Clock, "sleep"> },
): Promise<T> {
  for (let attempt = 1, waitedMs = 0;; attempt++) {
    try {
      const result = await work();
      options.patience.succeeded();
      return result;
    } catch (error) {
      const ms = options.patience.delay({ code: errnoOf(error), attempt, waitedMs });
      if (ms === undefined) throw error;
      await options.clock.sleep(ms);
      waitedMs += ms;
    }
  }
}

class FileSystemBarrier implements Barrier {
  readonly dev: number | null;
  readonly #fd: number;

  constructor(folder: string) {
    this.#fd = fs.openSync(folder, fs.constants.O_RDONLY);
    this.dev = fs.fstatSync(this.#fd).dev;
  }

  async flush(): Promise<void> {
    if (!await syncfs(this.#fd)) throw systemError("EIO", "the file system could not be flushed");
  }

  // deno-lint-ignore require-await -- a promise by the protocol
  async [Symbol.asyncDispose](): Promise<void> {
    fs.closeSync(this.#fd);
  }
}

/** A real disk on the calling thread: jobs of small files run inline. */
export class DiskFiles implements FileSystem {
  readonly smallParallel: number = 1;
  readonly #primitives = new DiskPrimitives();
  readonly #busy: { patience: Patience; clock: Pick<Clock, "sleep"> };

  constructor(options: { clock?: Pick<Clock, "sleep"> } = {}) {
    this.#busy = { patience: new Patience(), clock: options.clock ?? systemClock };
  }

  async lstat(path: string): Promise<FileStat | undefined> {
    try {
      return fileStat(await Deno.lstat(osPath(path)));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async readDir(path: string): Promise<DirEntry[]> {
    const entries: DirEntry[] = [];
    for await (const { name, isFile, isDirectory, isSymlink } of Deno.readDir(osPath(path))) {
      entries.push({ name, kind: isFile ? "file" : isDirectory ? "directory" : isSymlink ? "symlink" : "other" });
    }
    return entries;
  }

  readonly namedStreams: FileSystem["namedStreams"] = WINDOWS
    // deno-lint-ignore require-await -- a promise in the port
    ? async (path) => namedStreams(path, windowsCalls())
    : undefined;

  async realPath(path: string): Promise<string> {
    const real = await Deno.realPath(osPath(path));
    return WINDOWS ? shortPath(real) : real;
  }

  async mkdir(path: string): Promise<boolean> {
    try {
      await Deno.mkdir(osPath(path));
      return true;
    } catch (error) {
      if (errnoOf(error) === "EEXIST" && (await this.lstat(path))?.kind === "directory") return false;
      throw error;
    }
  }

  async openRead(path: string, options: { fresh?: boolean } = {}): Promise<FileHandle> {
    const before = expectFile(path, await this.lstat(path));
    if (options.fresh && canReadFresh) return new FreshDiskHandle(path, before);
    const handle = new DiskHandle(await Deno.open(osPath(path)));
    try {
      expectSame(path, before, await handle.stat());
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async createNew(path: string): Promise<FileHandle> {
    return new DiskHandle(await Deno.open(osPath(path), { read: true, write: true, createNew: true }));
  }

  async openReadWrite(path: string, { create = true }: { create?: boolean } = {}): Promise<FileHandle> {
    const before = await this.lstat(path);
    if (before !== undefined) expectFile(path, before);
    const handle = new DiskHandle(await Deno.open(osPath(path), { read: true, write: true, create }));
    try {
      expectSame(path, expectFile(path, before ?? await this.lstat(path)), await handle.stat());
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async link(from: string, to: string): Promise<void> {
    await Deno.link(osPath(from), osPath(to));
  }

  async rename(from: string, to: string): Promise<void> {
    await whileBusy(() => Deno.rename(osPath(from), osPath(to)), this.#busy);
  }

  async renameNew(from: string, to: string): Promise<boolean | undefined> {
    if (renameNoReplace(from, to)) return true;
    // Taken, or not supported here: the name itself tells.
    return await this.lstat(to) === undefined ? undefined : false;
  }

  async removeFile(path: string): Promise<void> {
    // The runtime's call would remove an empty folder too.
    if ((await this.lstat(path))?.kind === "directory") throw systemError("EISDIR", `"${path}" is a folder`);
    await whileBusy(() => unlink(osPath(path)), this.#busy);
  }

  async removeEmptyDir(path: string): Promise<void> {
    const stat = await this.lstat(path);
    if (stat !== undefined && stat.kind !== "directory") throw systemError("ENOTDIR", `"${path}" is no folder`);
    await whileBusy(() => Deno.remove(osPath(path)), this.#busy);
  }

  async setMtime(path: string, mtimeMs: number): Promise<void> {
    if ((await this.lstat(path))?.kind === "symlink") throw systemError("ELOOP", `"${path}" is a symbolic link`);
    await Deno.utime(osPath(path), new Date(), new Date(mtimeMs));
  }

  async syncDir(path: string): Promise<void> {
    // Windows has no flush of a folder's entries.
    if (WINDOWS) return;
    using folder = await Deno.open(path);
    await folder.sync().catch((error) => {
      if (!hasNoFolderFlush(error)) throw error;
    });
  }

  async space(path: string): Promise<SpaceInfo> {
    const { bavail, blocks, bsize } = await fs.promises.statfs(osPath(path));
    return { free: bavail * bsize, total: blocks * bsize };
  }

  async readText(path: string): Promise<string> {
    return decodeText(await Deno.readFile(osPath(path)));
  }

  // deno-lint-ignore require-await -- inline here, on a thread in `Disk`
  async runSmall(job: SmallJob, signal: AbortSignal): Promise<SmallJobResult> {
    signal.throwIfAborted();
    return runSmallJob(this.#primitives, job);
  }

  async whyCached(folder: string): Promise<string> {
    if (Deno.build.os === "linux") return whyCached(systemOf((await fs.promises.statfs(folder)).type));
    return "this system, or the file system, has no way past its cache that can be shown. " +
      "Use a disk of NTFS or a share by SMB on Windows, or Linux.";
  }

  // deno-lint-ignore require-await -- a promise by the port
  async whyNotWritable(folder: string): Promise<string | undefined> {
    const answer = mayWriteIn(folder);
    if (answer === "read-only") return "its file system is mounted for reading only";
    return answer === "no" ? "this account may not write there" : undefined;
  }

  async openBarrier(folder: string): Promise<Barrier | undefined> {
    if (!hasSyncfs()) return undefined;
    // Elsewhere the call may end while bytes are still on their way to a server; a flush of each file waits for it.
    const system = systemOf((await fs.promises.statfs(folder)).type);
    return system.flushesWhole ? new FileSystemBarrier(folder) : undefined;
  }
}
