/**
 * One pass over a large file: blocks are read ahead while the block before is hashed and written.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import type { Durability, FileHandle, FileStat, FileSystem, LargeResult } from "./file_system.ts";
import { errnoOf, ioError } from "./io_errors.ts";
import { alignedBuffer } from "./native.ts";
import { publish } from "./publish.ts";
import { conflict, notAFile, sameFile, shortRead, sourceChanged } from "./same.ts";

/** Bytes of one block. */
const BLOCK = 4 * 2 ** 20;
/** Blocks in flight: one read, one hashed, one written. */
const BLOCKS = 3;

export interface LargeCopy {
  from: string;
  to: string;
  /** Beside `to`, derived from the step's identity. */
  temporary: string;
  durability: Durability;
}

export interface PassOptions {
  signal: AbortSignal;
  /** Told how many more bytes were read. */
  onBytes?: (bytes: number) => void;
}

/** Reads to the end, hashing and (with `write`) writing while the next block is read. Returns hash and bytes read. */
async function onePass(
  source: FileHandle,
  options: PassOptions & { write?: (bytes: Uint8Array) => Promise<void>; size: number },
): Promise<{ sha256: string; bytes: number }> {
  const { signal, onBytes, write, size } = options;
  const block = Math.min(BLOCK, Math.max(4096, Math.ceil((size + 1) / 4096) * 4096));
  const buffers = Array.from({ length: BLOCKS }, () => alignedBuffer(block));
  const hash = createHash("sha256");
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  // The loop awaits both; until it does, a rejection must not count as unhandled.
  const watched = <T>(promise: Promise<T>) => (promise.catch(() => {}), promise);
  let reading = watched(source.read(buffers[0]));
  try {
    for (let i = 0;; i = (i + 1) % BLOCKS) {
      const got = await reading;
      if (got === 0) break;
      signal.throwIfAborted();
      const filled = buffers[i].subarray(0, got);
      // The write of the block before must end before its buffer's successor is filled again.
      await writing;
      reading = watched(source.read(buffers[(i + 1) % BLOCKS]));
      writing = watched(write ? write(filled) : Promise.resolve());
      hash.update(filled);
      bytes += got;
      onBytes?.(got);
    }
    await writing;
  } finally {
    // Neither may still touch a buffer or a handle when this returns; the first error is the one that counts.
    await Promise.allSettled([reading, writing]);
  }
  return { sha256: hash.digest("hex"), bytes };
}

/** Hashes a whole file between two equal stats, on this thread. */
export async function hashHere(
  fs: FileSystem,
  path: string,
  options: PassOptions & { fresh?: boolean },
): Promise<LargeResult> {
  try {
    await using handle = await fs.openRead(path, { fresh: options.fresh ?? false });
    const before = await handle.stat();
    if (before.kind !== "file") throw notAFile("read", path, before);
    const { sha256, bytes } = await onePass(handle, { ...options, size: before.size });
    const after = await fs.lstat(path);
    if (after === undefined || !sameFile(before, after)) throw sourceChanged(path, before, after);
    if (bytes !== before.size) throw shortRead(path, bytes, before.size);
    return { sha256, before, after, medium: handle.medium };
  } catch (error) {
    throw options.signal.aborted ? error : ioError(error, { verb: "read", path });
  }
}

/** Hashes source and standing final name; equal bytes are "already there", others a conflict. */
async function proveExisting(
  fs: FileSystem,
  copy: LargeCopy,
  options: PassOptions & { there: FileStat; written?: LargeResult },
): Promise<LargeResult> {
  const { from, to } = copy;
  const { there, written } = options;
  if (there.kind !== "file") throw conflict(from, to, `a ${there.kind} is there`);
  const size = written?.before.size ?? (await fs.lstat(from))?.size;
  if (there.size !== size) throw conflict(from, to, `a file of ${there.size} bytes is there`);
  const source = written ?? await hashHere(fs, from, options);
  const target = await hashHere(fs, to, { signal: options.signal });
  if (target.sha256 !== source.sha256) throw conflict(from, to, "a file with other bytes is there");
  await fs.removeFile(copy.temporary).catch((error) => {
    if (errnoOf(error) !== "ENOENT") throw error;
  });
  if (copy.durability === "flushed") {
    await using handle = await fs.openReadWrite(to);
    await handle.sync();
    await fs.syncDir(dirname(to));
  }
  return { ...source, target: target.after, existed: true };
}

/** Makes the temporary; one left over by an earlier attempt goes first, which the standing source permits (S7). */
async function createTemporary(fs: FileSystem, path: string): Promise<FileHandle> {
  try {
    return await fs.createNew(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  await fs.removeFile(path);
  return await fs.createNew(path);
}

async function writeTemporary(
  fs: FileSystem,
  copy: LargeCopy,
  options: PassOptions & { source: FileHandle; before: FileStat },
): Promise<{ sha256: string; bytes: number }> {
  const { source, before } = options;
  const handle = await createTemporary(fs, copy.temporary);
  try {
    const pass = await onePass(source, { ...options, size: before.size, write: (bytes) => handle.write(bytes) });
    if (before.mtimeMs !== null) await handle.setMtime(before.mtimeMs);
    if (copy.durability === "flushed") await handle.sync();
    await handle.close();
    return pass;
  } catch (error) {
    // The first error is the one that counts. Nothing was claimed of the temporary, so it may go.
    await handle.close().catch(() => {});
    await fs.removeFile(copy.temporary).catch(() => {});
    throw error;
  }
}

/** Copies one file of any size on this thread; see `copyLarge`. */
export async function copyHere(fs: FileSystem, copy: LargeCopy, options: PassOptions): Promise<LargeResult> {
  const { from, to, temporary, durability } = copy;
  try {
    const there = await fs.lstat(to);
    if (there !== undefined) return await proveExisting(fs, copy, { ...options, there });
    const read = await readAndWrite(fs, copy, options);
    if (!await publish(fs, temporary, to)) {
      const taken = await fs.lstat(to);
      if (taken === undefined) throw notAFile("publish", to, taken);
      return await proveExisting(fs, copy, { ...options, there: taken, written: read });
    }
    if (durability === "flushed") await fs.syncDir(dirname(to));
    const target = await fs.lstat(to);
    if (target === undefined) throw notAFile("publish", to, target);
    return { ...read, target, existed: false };
  } catch (error) {
    throw options.signal.aborted ? error : ioError(error, { verb: `copy "${from}" to`, path: to });
  }
}

async function readAndWrite(fs: FileSystem, copy: LargeCopy, options: PassOptions): Promise<LargeResult> {
  const { from, temporary } = copy;
  await using source = await fs.openRead(from);
  const before = await source.stat();
  if (before.kind !== "file") throw notAFile("copy", from, before);
  const { sha256, bytes } = await writeTemporary(fs, copy, { ...options, source, before });
  const after = await fs.lstat(from);
  const error = after === undefined || !sameFile(before, after)
    ? sourceChanged(from, before, after)
    : bytes !== before.size
    ? shortRead(from, bytes, before.size)
    : undefined;
  if (error === undefined) return { sha256, before, after: after ?? before, medium: source.medium };
  // The changed source is what counts; a leftover harms nothing and the next attempt removes it.
  await fs.removeFile(temporary).catch(() => {});
  throw error;
}
