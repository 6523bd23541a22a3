/**
 * Batches of small files: split into jobs, flushed once, published, and their folders flushed.
 * @module
 */
import { dirname } from "@std/path";
import type { Barrier, Durability, FileSystem, SmallCopy, SmallFailure, SmallResult } from "./file_system.ts";
import { failureOf } from "./small_jobs.ts";

export { errorOf, SMALL_FILE_BYTES } from "./small_jobs.ts";

/** One job holds at most this many files, so that a stop and the progress are never far. */
const FILES_A_JOB = 64;

export interface CopySmallOptions {
  signal: AbortSignal;
  durability: Durability;
  /** Told how many more bytes were read. */
  onBytes?: (bytes: number) => void;
}

/** Runs `work` over parts of `files`, as many at once as the file system likes; results in order. */
async function inParts<F, R>(
  fs: FileSystem,
  files: readonly F[],
  options: { signal: AbortSignal; work: (part: readonly F[]) => Promise<readonly R[]> },
): Promise<R[]> {
  const size = Math.max(1, Math.min(FILES_A_JOB, Math.ceil(files.length / fs.smallParallel)));
  const results: (readonly R[])[] = [];
  let next = 0;
  const worker = async () => {
    while (next * size < files.length) {
      options.signal.throwIfAborted();
      const part = next++;
      results[part] = await options.work(files.slice(part * size, (part + 1) * size));
    }
  };
  // Two jobs a thread: the next waits there while the answer of the one before is taken in here.
  const lanes = Array.from({ length: Math.min(2 * fs.smallParallel, Math.ceil(files.length / size)) }, worker);
  // All lanes end before this returns, so that nothing is still writing when the caller cleans up.
  const ended = await Promise.allSettled(lanes);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return results.flat();
}

type Copied = Extract<SmallResult, { ok: true }>;

async function discard(fs: FileSystem, files: readonly SmallCopy[]): Promise<void> {
  for (const file of files) {
    // A leftover harms nothing: walks leave it out and the next attempt removes it.
    await fs.removeFile(file.temporary).catch(() => {});
  }
}

/**
 * Copies small files (at most `SMALL_FILE_BYTES` each), whose parent folders stand. Each is read once between two equal
 * stats, hashed, written under its temporary name, and published under its final name without ever replacing. One result
 * a file, in order; a failure of one never ends the others. With `durability: "flushed"` bytes, names and parent folders
 * are on the medium when this returns. A final name that stands is proved by reading it: equal bytes give
 * `existed: true`, others `copy/conflict`.
 * @throws the signal's reason when it aborts; files published by then stay, and a repeat finds them.
 */
export async function copySmall(
  fs: FileSystem,
  files: readonly SmallCopy[],
  options: CopySmallOptions,
): Promise<SmallResult[]> {
  if (files.length === 0) return [];
  const flush = options.durability === "flushed";
  await using barrier = flush ? await fs.openBarrier(dirname(files[0].to)) : undefined;
  const results = await writeAll(fs, files, { ...options, flush, barrier });
  const failed = barrier && await flushed(barrier, files[0].to);
  if (failed) {
    const unproved = files.filter((_, i) => results[i].ok && !(results[i] as Copied).existed);
    await discard(fs, unproved);
    return results.map((result) => result.ok ? failed : result);
  }
  await publishAll(fs, files, { ...options, flush, results });
  if (!flush) return results;
  return await flushFolders(fs, files, { ...options, results });
}

async function writeAll(
  fs: FileSystem,
  files: readonly SmallCopy[],
  options: CopySmallOptions & { flush: boolean; barrier: Barrier | undefined },
): Promise<SmallResult[]> {
  const { signal, flush, barrier, onBytes } = options;
  return await inParts(fs, files, {
    signal,
    work: async (part) => {
      const job = { kind: "write", files: part, flush, barrierDev: barrier?.dev ?? null } as const;
      const results = (await fs.runSmall(job, signal)).files ?? [];
      onBytes?.(part.reduce((sum, file, i) => sum + (results[i].ok ? file.size : 0), 0));
      return results;
    },
  });
}

async function flushed(barrier: Barrier, path: string): Promise<SmallFailure | undefined> {
  try {
    await barrier.flush();
    return undefined;
  } catch (error) {
    return failureOf(error, { verb: "flush the file system of", path });
  }
}

/** Publishes what was written and puts the targets, or the failures, into `results`. */
async function publishAll(
  fs: FileSystem,
  files: readonly SmallCopy[],
  options: { signal: AbortSignal; flush: boolean; results: SmallResult[] },
): Promise<void> {
  const { signal, flush, results } = options;
  const open = files.flatMap((file, i) => {
    const result = results[i];
    return result.ok && !result.existed ? [{ i, file: { ...file, sha256: result.sha256 } }] : [];
  });
  const published = await inParts(fs, open, {
    signal,
    work: async (part) => {
      const job = { kind: "publish", files: part.map(({ file }) => file), flush } as const;
      return (await fs.runSmall(job, signal)).published ?? [];
    },
  });
  for (const [at, { i }] of open.entries()) {
    const done = published[at];
    results[i] = done.ok ? { ...results[i] as Copied, target: done.target, existed: done.existed } : done;
  }
}

async function flushFolders(
  fs: FileSystem,
  files: readonly SmallCopy[],
  options: { signal: AbortSignal; results: SmallResult[] },
): Promise<SmallResult[]> {
  const folders = [...new Set(files.map((file) => dirname(file.to)))];
  try {
    await inParts(fs, folders, {
      signal: options.signal,
      work: async (part) => {
        await fs.runSmall({ kind: "sync-folders", folders: part }, options.signal);
        return part;
      },
    });
    return options.results;
  } catch (error) {
    if (options.signal.aborted) throw error;
    // The names stand but may not survive a power loss: nothing is claimed, and a repeat proves and flushes them.
    const failure = failureOf(error, { verb: "flush the folders below", path: folders[0] });
    return options.results.map((result) => result.ok ? failure : result);
  }
}

/**
 * Hashes small files between two equal stats; one result a file, in order. With `fresh` the bytes come from the medium
 * where the system allows, and `medium` says whether they did.
 */
export async function hashSmall(
  fs: FileSystem,
  files: readonly { path: string; size: number }[],
  options: { signal: AbortSignal; fresh: boolean; onBytes?: (bytes: number) => void },
): Promise<SmallResult[]> {
  const { signal, fresh, onBytes } = options;
  return await inParts(fs, files, {
    signal,
    work: async (part) => {
      const results = (await fs.runSmall({ kind: "hash", files: part, fresh }, signal)).files ?? [];
      onBytes?.(part.reduce((sum, file, i) => sum + (results[i].ok ? file.size : 0), 0));
      return results;
    },
  });
}
