/**
 * The file-system port: every byte path and every destructive call of the engine goes through it, so that the
 * in-memory world of the tests can stand in for a disk. Paths are absolute OS paths.
 * @module
 */
import type { ChangeIdentity } from "../evidence.ts";

/** What an entry is, in words: `it is a folder`. */
export const KIND_WORDS: Readonly<Record<FileStat["kind"], string>> = {
  file: "a file",
  directory: "a folder",
  symlink: "a symbolic link",
  other: "a device, a pipe or a socket",
};

/** What `lstat` says of an entry. Links are never followed. */
export interface FileStat extends ChangeIdentity {
  kind: "file" | "directory" | "symlink" | "other";
  birthtimeMs: number | null;
}

export interface DirEntry {
  name: string;
  kind: FileStat["kind"];
}

/** Free and total bytes of the file system that holds a path. */
export interface SpaceInfo {
  free: number;
  total: number;
}

/** How a file opened with `fresh` was kept out of the page cache. */
export type Medium = "direct" | "dropped-cache" | "cached";

/** An open file. Every method rejects with the system's error; the caller adds the words. */
export interface FileHandle extends AsyncDisposable {
  /** Reads at most `buffer.length` bytes at the cursor; 0 at the end of the file. */
  read(buffer: Uint8Array): Promise<number>;
  /** Writes all of `bytes` at the cursor. */
  write(bytes: Uint8Array): Promise<void>;
  stat(): Promise<FileStat>;
  /** Flushes data and metadata to the medium. */
  sync(): Promise<void>;
  setMtime(mtimeMs: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  seek(offset: number): Promise<void>;
  /** Takes an exclusive lock that dies with the process; false when another holds it. */
  tryLock(): Promise<boolean>;
  close(): Promise<void>;
  /** How reads reach the medium; `cached` unless opened with `fresh`. */
  readonly medium: Medium;
}

/** A small file to copy in a batch: read, hashed, written under `temporary`, flushed, published as `to`. */
export interface SmallCopy {
  from: string;
  to: string;
  temporary: string;
  size: number;
}

/** Why one file of a batch failed: the parts of a `PipelineError`, as plain data that crosses threads. */
export interface SmallFailure {
  ok: false;
  code: string;
  message: string;
  hint?: string;
  retry?: "transient" | "permanent";
}

/**
 * What came of one file of a batch: the hash, and the stat after the read, which equals the one before; or the error.
 * After a copy `target` is the published file, and `existed` says that the same bytes stood under the final name already.
 */
export type SmallResult =
  | {
    ok: true;
    sha256: string;
    after: FileStat;
    target?: FileStat;
    existed?: boolean;
    medium: Medium;
  }
  | SmallFailure;

/** Work on many small files that a disk hands to a thread of its own; `small_jobs.ts` holds the one algorithm. */
export type SmallJob =
  | { kind: "stat"; folder: string; names: readonly string[] }
  | { kind: "hash"; files: readonly { path: string; size: number }[]; fresh: boolean }
  | { kind: "write"; files: readonly SmallCopy[]; barrierDev: number | null; flush: boolean }
  | { kind: "publish"; files: readonly (SmallCopy & { sha256: string })[]; flush: boolean }
  | { kind: "sync-files"; paths: readonly string[] }
  | { kind: "sync-folders"; folders: readonly string[] };

/** The answer to a `SmallJob`, in its order: stats (undefined for what vanished), or one result a file. */
export interface SmallJobResult {
  stats?: (FileStat | undefined)[];
  files?: SmallResult[];
  published?: ({ ok: true; target: FileStat; existed: boolean } | SmallFailure)[];
}

/** One large file, for a thread of its own. */
export type LargeJob =
  | { kind: "copy"; from: string; to: string; temporary: string; durability: Durability }
  | { kind: "hash"; path: string; fresh: boolean };

/** What came of a large file. `target` and `existed` as in `SmallResult`. */
export interface LargeResult {
  sha256: string;
  before: FileStat;
  after: FileStat;
  medium: Medium;
  target?: FileStat;
  existed?: boolean;
}

/** `flushed`: written bytes and names are on the medium when a call returns. `cached`: the system writes them later. */
export type Durability = "flushed" | "cached";

/** A flush of a whole file system, opened before the writes so that it reports their failures. */
export interface Barrier extends AsyncDisposable {
  readonly dev: number | null;
  /** Rejects when any write since the barrier was opened could not be flushed. */
  flush(): Promise<void>;
}

/** Primitive operations. "Absent" is a value where callers ask, an error where they act. */
export interface FileSystem {
  /** Undefined when nothing is there; every other failure throws. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Entries of one folder in no particular order. */
  readDir(path: string): Promise<DirEntry[]>;
  /** Resolves links and case; throws when absent. */
  realPath(path: string): Promise<string>;
  /** Makes one folder; false when a folder is already there. */
  mkdir(path: string): Promise<boolean>;
  /** Names of the alternate streams of a file or folder; only where the system has such (Windows). */
  namedStreams?(path: string): Promise<string[]>;
  /** Opens for reading without following a final link. `fresh`: reads must reach the medium, where the system allows. */
  openRead(path: string, options?: { fresh?: boolean }): Promise<FileHandle>;
  /** Creates a file that must not exist. */
  createNew(path: string): Promise<FileHandle>;
  /** Opens for reading and writing, creating it if absent unless `create` is false. For lock files and appends. */
  openReadWrite(path: string, options?: { create?: boolean }): Promise<FileHandle>;
  /** Hard link; fails with EEXIST when `to` exists. */
  link(from: string, to: string): Promise<void>;
  /** Renames; the caller has made sure that `to` is free (this replaces silently on POSIX). */
  rename(from: string, to: string): Promise<void>;
  /**
   * Renames without ever replacing: true when done, false when `to` exists, undefined when the system has no such call
   * for this place.
   */
  renameNew(from: string, to: string): Promise<boolean | undefined>;
  removeFile(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeEmptyDir(path: string): Promise<void>;
  setMtime(path: string, mtimeMs: number): Promise<void>;
  /** Flushes a folder's entries to the medium (a no-op where the system has no such thing). */
  syncDir(path: string): Promise<void>;
  space(path: string): Promise<SpaceInfo>;
  /** UTF-8, or UTF-16 with a byte order mark. */
  readText(path: string): Promise<string>;
  /** Runs a job over many small files with cheap synchronous calls, off the main thread where that pays. */
  runSmall(job: SmallJob, signal: AbortSignal): Promise<SmallJobResult>;
  /** How many jobs of `runSmall` are worth running at once. */
  readonly smallParallel: number;
  /** Why fresh reads below this folder come from a cache all the same, and what to do, in words. */
  whyCached?(folder: string): Promise<string>;
  /**
   * Why names cannot be made or removed in a folder, in words, as far as that can be seen without writing; a link is
   * followed. Undefined when nothing speaks against it.
   */
  whyNotWritable?(folder: string): Promise<string | undefined>;
  /** Opens a flush of the file system that holds `folder`; undefined where the system has no such call. */
  openBarrier(folder: string): Promise<Barrier | undefined>;
  /**
   * Copies or hashes a large file on a thread of its own; undefined where there is none, and the caller's thread does it.
   * `onBytes` is told how many more bytes were read.
   */
  runLarge?(job: LargeJob, options: { signal: AbortSignal; onBytes?: (bytes: number) => void }): Promise<LargeResult>;
}
