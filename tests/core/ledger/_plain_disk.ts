/**
 * The few calls of the file-system port that the ledger and the locks use, straight on the disk, with places to fail.
 * @module
 */
import type { FileHandle, FileStat, FileSystem } from "../../../core/io/file_system.ts";

function statOf(info: Deno.FileInfo): FileStat {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "directory" : info.isSymlink ? "symlink" : "other",
    dev: info.dev,
    ino: info.ino,
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? null,
    ctimeMs: info.ctime?.getTime() ?? null,
    birthtimeMs: info.birthtime?.getTime() ?? null,
  };
}

/** What a test may change: bytes on their way to the disk. Throwing makes the write fail. */
export interface DiskFaults {
  write?: (bytes: Uint8Array) => Uint8Array;
  /** After these bytes were written, the call fails. */
  failAfterWrite?: () => Error | undefined;
}

function handleOf(file: Deno.FsFile, faults: DiskFaults): FileHandle {
  const close = () => Promise.resolve(file.close());
  return {
    medium: "cached",
    read: async (buffer) => await file.read(buffer) ?? 0,
    async write(bytes) {
      const actual = faults.write?.(bytes) ?? bytes;
      for (let at = 0; at < actual.length;) at += await file.write(actual.subarray(at));
      const failure = faults.failAfterWrite?.();
      if (failure) throw failure;
    },
    stat: async () => statOf(await file.stat()),
    sync: () => file.sync(),
    setMtime: (ms) => file.utime(new Date(ms), new Date(ms)),
    truncate: (bytes) => file.truncate(bytes),
    seek: async (offset) => void await file.seek(offset, Deno.SeekMode.Start),
    tryLock: () => file.tryLock(true),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export function plainDisk(faults: DiskFaults = {}): FileSystem {
  const open = async (path: string, options: Deno.OpenOptions) => handleOf(await Deno.open(path, options), faults);
  const some: Partial<FileSystem> = {
    async lstat(path) {
      try {
        return statOf(await Deno.lstat(path));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    async readDir(path) {
      const entries = [];
      for await (const entry of Deno.readDir(path)) {
        const kind: FileStat["kind"] = entry.isFile
          ? "file"
          : entry.isDirectory
          ? "directory"
          : entry.isSymlink
          ? "symlink"
          : "other";
        entries.push({ name: entry.name, kind });
      }
      return entries;
    },
    openRead: (path) => open(path, { read: true }),
    createNew: (path) => open(path, { read: true, write: true, createNew: true }),
    openReadWrite: (path, { create = true } = {}) => open(path, { read: true, write: true, create }),
    link: (from, to) => Deno.link(from, to),
    rename: (from, to) => Deno.rename(from, to),
    removeFile: (path) => Deno.remove(path),
    syncDir: () => Promise.resolve(),
    readText: (path) => Deno.readTextFile(path),
  };
  return some as FileSystem;
}
