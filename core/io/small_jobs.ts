/**
 * The one algorithm for small files, in synchronous steps: read and hash between two equal stats, write under a
 * temporary name, publish without ever replacing, hash again. Runs in a worker thread on a disk, inline in memory.
 * @module
 */
import { createHash } from "node:crypto";
import { asPipelineError, PipelineError } from "../errors.ts";
import { dirname } from "@std/path";
import type { FileStat, SmallCopy, SmallFailure, SmallJob, SmallJobResult, SmallResult } from "./file_system.ts";
import { errnoOf, ioError } from "./io_errors.ts";
import { itemPath } from "./paths.ts";
import { publishSync } from "./publish.ts";
import { conflict, notAFile, sameFile, shortRead, sourceChanged } from "./same.ts";
import type { SyncHandle, SyncPrimitives } from "./sync_primitives.ts";

/** Files up to this many bytes are small: they are read whole into one buffer. */
export const SMALL_FILE_BYTES = 2 ** 20;

/** The plain data of an error, so that it crosses threads. */
export function failureOf(error: unknown, action: { verb: string; path: string }): SmallFailure {
  const { code, message, hint, retry } = asPipelineError(ioError(error, action), `${action.verb} "${action.path}"`);
  return { ok: false, code, message, hint, retry };
}

/** The error a failure stands for. */
export function errorOf(failure: SmallFailure): PipelineError {
  return new PipelineError(failure.code, failure.message, { hint: failure.hint, retry: failure.retry });
}

/** Closes without hiding an error that is on its way already. */
function closeQuietly(handle: SyncHandle): void {
  try {
    handle.close();
  } catch {
    // The caller is already throwing what went wrong first.
  }
}

interface WholeRead {
  before: FileStat;
  after: FileStat;
  sha256: string;
  bytes: Uint8Array;
  medium: SyncHandle["medium"];
}

/** Reads a whole file between two equal stats; the second is of the path, so that a replaced file is seen too. */
function readWhole(disk: SyncPrimitives, path: string, options: { fresh: boolean; size: number }): WholeRead {
  const handle = disk.openRead(path, { fresh: options.fresh });
  try {
    const before = handle.stat();
    if (before.kind !== "file") throw notAFile("read", path, before);
    // One byte more than expected shows a file that grew.
    const buffer = disk.buffer(Math.max(before.size, options.size) + 1);
    let got = 0;
    for (let n = 1; n > 0 && got < buffer.length; got += n) n = handle.read(buffer.subarray(got));
    const after = disk.lstat(path);
    if (after === undefined || !sameFile(before, after)) throw sourceChanged(path, before, after);
    if (got !== before.size) throw shortRead(path, got, before.size);
    const bytes = buffer.subarray(0, got);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { before, after, sha256, bytes, medium: handle.medium };
  } finally {
    closeQuietly(handle);
  }
}

/** Makes the temporary; one left over by an earlier attempt goes first, which the standing source permits (S7). */
function createTemporary(disk: SyncPrimitives, path: string): SyncHandle {
  try {
    return disk.createNew(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  disk.removeFile(path);
  return disk.createNew(path);
}

/** Removes a temporary if it is there. Only called while the source or the final name was just proved equal. */
function dropTemporary(disk: SyncPrimitives, path: string): void {
  try {
    if (disk.lstat(path) !== undefined) disk.removeFile(path);
  } catch {
    // A leftover harms nothing: walks leave it out and the next attempt removes it.
  }
}

function writeTemporary(disk: SyncPrimitives, file: SmallCopy, read: WholeRead, flush: boolean): void {
  const handle = createTemporary(disk, file.temporary);
  let closed = false;
  try {
    handle.write(read.bytes);
    if (read.before.mtimeMs !== null) handle.setMtime(read.before.mtimeMs);
    if (flush) handle.sync();
    closed = true;
    handle.close();
  } catch (error) {
    if (!closed) closeQuietly(handle);
    dropTemporary(disk, file.temporary);
    throw error;
  }
}

/** A final name that stands already: proved equal by reading it, else a conflict. */
function proveExisting(disk: SyncPrimitives, file: SmallCopy, source: { sha256: string; size: number }): FileStat {
  const there = disk.lstat(file.to);
  if (there?.kind !== "file") throw conflict(file.from, file.to, `a ${there?.kind ?? "vanished file"} is there`);
  if (there.size !== source.size) throw conflict(file.from, file.to, `a file of ${there.size} bytes is there`);
  const read = readWhole(disk, file.to, { fresh: false, size: there.size });
  if (read.sha256 !== source.sha256) throw conflict(file.from, file.to, "a file with other bytes is there");
  return read.after;
}

/** Who flushes a file: nobody, the file itself, or a flush of the whole file system afterwards. */
type Flush = "no" | "file" | "barrier";

function writeOne(disk: SyncPrimitives, file: SmallCopy, options: { flush: Flush }): SmallResult {
  const read = readWhole(disk, file.from, { fresh: false, size: file.size });
  const { before, after, sha256, medium } = read;
  if (before.size !== file.size) {
    throw sourceChanged(file.from, { ...before, size: file.size }, before);
  }
  if (!disk.mayStand(file.to)) {
    writeTemporary(disk, file, read, options.flush === "file");
    return { ok: true, sha256, after, medium };
  }
  // The buffer is shared, so the source's bytes are gone after this.
  const target = proveExisting(disk, file, { sha256, size: before.size });
  if (options.flush !== "no") disk.syncFile(file.to);
  dropTemporary(disk, file.temporary);
  return { ok: true, sha256, after, medium, target, existed: true };
}

/** Whether the flush of the whole file system covers this file's folder. */
function covered(disk: SyncPrimitives, folder: string, job: { barrierDev: number | null }, seen: Map<string, boolean>) {
  let yes = seen.get(folder);
  if (yes === undefined) {
    const dev = disk.lstat(folder)?.dev ?? null;
    yes = dev !== null && dev === job.barrierDev;
    seen.set(folder, yes);
  }
  return yes;
}

function publishOne(disk: SyncPrimitives, file: SmallCopy & { sha256: string }, flush: boolean) {
  if (publishSync(disk, file.temporary, file.to)) {
    const target = disk.lstat(file.to);
    if (target === undefined) throw notAFile("publish", file.to, target);
    return { target, existed: false };
  }
  const target = proveExisting(disk, file, file);
  if (flush) disk.syncFile(file.to);
  dropTemporary(disk, file.temporary);
  return { target, existed: true };
}

/** One result a file; a failure of one never ends the others. */
function each<F, R>(files: readonly F[], action: (file: F) => { verb: string; path: string }, work: (file: F) => R) {
  return files.map((file) => {
    try {
      return work(file);
    } catch (error) {
      return failureOf(error, action(file));
    }
  });
}

function hashOne(disk: SyncPrimitives, file: { path: string; size: number }, fresh: boolean): SmallResult {
  const { after, sha256, medium } = readWhole(disk, file.path, { fresh, size: file.size });
  return { ok: true, sha256, after, medium };
}

/** Names what a call failed on here, where it is known: a thread gives on no more than the words of an error. */
function named<T>(verb: string, path: string, work: (path: string) => T): T {
  try {
    return work(path);
  } catch (error) {
    throw ioError(error, { verb, path });
  }
}

/** Does one job. Failures of single files are in the results; only a lost folder or a programming error throws. */
export function runSmallJob(disk: SyncPrimitives, job: SmallJob): SmallJobResult {
  switch (job.kind) {
    case "stat":
      return {
        stats: job.names.map((name) => named("look at", itemPath(job.folder, name), (path) => disk.lstat(path))),
      };
    case "hash":
      return {
        files: each(job.files, ({ path }) => ({ verb: "read", path }), (file) => hashOne(disk, file, job.fresh)),
      };
    case "write": {
      const seen = new Map<string, boolean>();
      return {
        files: each(job.files, ({ from }) => ({ verb: "copy", path: from }), (file) => {
          const covers = job.flush && covered(disk, dirname(file.to), job, seen);
          const flush = !job.flush ? "no" : covers ? "barrier" : "file";
          return writeOne(disk, file, { flush });
        }),
      };
    }
    case "publish":
      return {
        published: each(
          job.files,
          ({ to }) => ({ verb: "write", path: to }),
          (file) => ({ ok: true as const, ...publishOne(disk, file, job.flush) }),
        ),
      };
    case "sync-files":
      for (const path of job.paths) named("flush", path, () => disk.syncFile(path));
      return {};
    case "sync-folders":
      for (const folder of job.folders) named("flush the folder", folder, () => disk.syncDir(folder));
      return {};
  }
}
