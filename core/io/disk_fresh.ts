/**
 * Opening a file so that its bytes come from the medium and not from the page cache.
 * @module
 */
import fs from "node:fs";
import type { FileStat, Medium } from "./file_system.ts";
import { errnoOf } from "./io_errors.ts";
import { alignedBuffer, ALIGNMENT, dropCache, isAligned } from "./native.ts";

/** An open descriptor, and how its reads reach the medium. */
export interface FreshFile {
  fd: number;
  medium: Medium;
}

const ARM = Deno.build.arch === "aarch64";
const O_DIRECT = ARM ? 0o200000 : 0o40000;
const O_NOFOLLOW = ARM ? 0o100000 : 0o400000;

/** File systems whose pages are the medium itself: there is nothing to bypass. From `linux/magic.h`. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);
/** Network file systems take direct reads of any alignment, so the probe below says nothing of them. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x6969, 0xff534d42, 0xfe534d42]);

/** What is known of direct reads, by device. */
const direct = new Map<number, boolean>();

/**
 * Whether the system really reads this file past its cache. Some accept the flag and ignore it; those that honour it
 * refuse a read that is not aligned.
 */
function honoursDirect(fd: number, path: string): boolean {
  const type = fs.statfsSync(path).type;
  if (MEMORY_FILE_SYSTEMS.has(type)) return false;
  if (NETWORK_FILE_SYSTEMS.has(type)) return true;
  try {
    fs.readSync(fd, alignedBuffer(ALIGNMENT).subarray(1, 2), 0, 1, 0);
    return false;
  } catch (error) {
    return errnoOf(error) === "EINVAL";
  }
}

function openDirect(path: string, stat: FileStat): number | undefined {
  if (stat.dev !== null && direct.get(stat.dev) === false) return undefined;
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | O_DIRECT | O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) !== "EINVAL") throw error;
    if (stat.dev !== null) direct.set(stat.dev, false);
    return undefined;
  }
  try {
    const known = stat.dev === null ? undefined : direct.get(stat.dev);
    if (known ?? (stat.size === 0 || honoursDirect(fd, path))) {
      if (stat.size > 0 && stat.dev !== null) direct.set(stat.dev, true);
      return fd;
    }
    if (stat.dev !== null) direct.set(stat.dev, false);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return undefined;
}

/** Opens for reading past the page cache where Linux allows, without following a final link. */
export function openFresh(path: string, stat: FileStat): FreshFile {
  const fd = openDirect(path, stat);
  if (fd !== undefined) return { fd, medium: "direct" };
  const plain = fs.openSync(path, fs.constants.O_RDONLY | O_NOFOLLOW);
  try {
    if (MEMORY_FILE_SYSTEMS.has(fs.statfsSync(path).type)) return { fd: plain, medium: "cached" };
    // Only clean pages can be dropped.
    fs.fdatasyncSync(plain);
    return { fd: plain, medium: dropCache(plain) ? "dropped-cache" : "cached" };
  } catch (error) {
    fs.closeSync(plain);
    throw error;
  }
}

/** Where the next direct read goes and what of it is wanted. */
export interface DirectRead {
  target: Uint8Array;
  position: number;
  /** The read went through an aligned buffer: the wanted bytes begin here. Undefined when it fills the caller's. */
  skip?: number;
}

/** The cursor of a file read directly: decides buffers and offsets; the caller makes the system's call. */
export class DirectCursor {
  #offset = 0;
  #bounce: Uint8Array | undefined;
  #ended = false;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** The next read for `buffer`; undefined at the end of the file. */
  next(buffer: Uint8Array): DirectRead | undefined {
    if (this.#ended || buffer.length === 0) return undefined;
    const inStep = this.#offset % ALIGNMENT === 0;
    if (inStep && isAligned(buffer)) return { target: buffer, position: this.#offset };
    const whole = buffer.subarray(0, buffer.length - buffer.length % ALIGNMENT);
    if (inStep && isAligned(whole)) return { target: whole, position: this.#offset };
    this.#bounce ??= alignedBuffer(64 * 1024);
    const skip = this.#offset % ALIGNMENT;
    return { target: this.#bounce, position: this.#offset - skip, skip };
  }

  /** Takes what the system's call returned; gives how many bytes of `buffer` are filled now. */
  took(read: DirectRead, buffer: Uint8Array, got: number): number {
    const skip = read.skip ?? 0;
    const bytes = Math.max(0, Math.min(got - skip, buffer.length));
    if (read.skip !== undefined) buffer.set(read.target.subarray(skip, skip + bytes));
    this.#offset += bytes;
    // A read after a short one would not be aligned; at the size the file had when opened it is not needed.
    if (bytes === 0 || (got < read.target.length && this.#offset >= this.#size)) this.#ended = true;
    return bytes;
  }

  seek(offset: number): void {
    this.#offset = offset;
    this.#ended = false;
  }
}
