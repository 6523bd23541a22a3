/**
 * The few calls of the system that the runtime does not offer. Loaded when first wanted; where they cannot be loaded
 * everything still works, and evidence says what could not be shown.
 * @module
 */
import fs from "node:fs";
import { MOVEFILE_WRITE_THROUGH, widePath, type WindowsCalls } from "./windows_calls.ts";
import { windowsCalls } from "./windows_library.ts";

const SYMBOLS = {
  posix_fadvise: { parameters: ["i32", "i64", "i64", "i32"], result: "i32" },
  syncfs: { parameters: ["i32"], result: "i32", nonblocking: true },
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  statvfs: { parameters: ["buffer", "buffer"], result: "i32" },
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  mincore: { parameters: ["usize", "usize", "buffer"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const F_OK = 0;
/** `W_OK | X_OK`: what it takes to make and remove names in a folder. */
const WRITE_AND_ENTER = 3;
/** `struct statvfs` of 64-bit Linux: `f_flag` is the tenth word, eight bytes each; the whole has 112. */
const STATVFS_BYTES = 256;
const F_FLAG = 72;
const ST_RDONLY = 1n;
const RENAME_NOREPLACE = 1;
const POSIX_FADV_DONTNEED = 4;
const PROT_READ = 1;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;
/** The smallest page there is, in bytes: where pages are larger, some answers stay unused. */
const PAGE = 4096;
/** Bytes of a file looked at in one mapping. */
const MAPPING = 2 ** 30;

let library: Library | null | undefined;

function load(): Library | null {
  if (library !== undefined) return library;
  try {
    library = Deno.build.os === "linux" ? Deno.dlopen("libc.so.6", SYMBOLS) : null;
  } catch {
    // Another C library, or no permission: the portable paths are used instead.
    library = null;
  }
  return library;
}

const utf8 = new TextEncoder();

let descriptors: boolean | undefined;

/**
 * Whether a number that `node:fs` gives for an open file is the system's own. In runtimes before Deno 2.9 it is not, and
 * a call with it would be one on another file.
 */
function areDescriptors(): boolean {
  if (descriptors !== undefined) return descriptors;
  try {
    const fd = fs.openSync("/", fs.constants.O_RDONLY);
    try {
      descriptors = fs.readlinkSync(`/proc/self/fd/${fd}`) === "/";
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    descriptors = false; // without /proc nothing shows it: what needs a number is done in another way
  }
  return descriptors;
}

/**
 * Asks the system to forget the cached pages of an open file of `size` bytes, and looks whether they are gone: the
 * request is advice, and pages that another program has mapped stay. False when it cannot be told; the system tells only
 * those who own the file or may write it.
 */
export function dropCache(fd: number, size: number): boolean {
  const symbols = areDescriptors() ? load()?.symbols : undefined;
  if (symbols?.posix_fadvise(fd, 0n, 0n, POSIX_FADV_DONTNEED) !== 0) return false;
  for (let at = 0; at < size; at += MAPPING) {
    if (!isUncached(symbols, fd, { at, bytes: Math.min(MAPPING, size - at) })) return false;
  }
  return true;
}

/** Whether no page of a part of a file is in memory. Mapping it reads nothing. */
function isUncached(symbols: Library["symbols"], fd: number, part: { at: number; bytes: number }): boolean {
  const bytes = BigInt(part.bytes);
  const address = symbols.mmap(0n, bytes, PROT_READ, MAP_SHARED, fd, BigInt(part.at));
  if (address === MAP_FAILED) return false;
  try {
    const pages = new Uint8Array(Math.ceil(part.bytes / PAGE));
    return symbols.mincore(address, bytes, pages) === 0 && pages.every((page) => (page & 1) === 0);
  } finally {
    symbols.munmap(address, bytes);
  }
}

/** Whether `syncfs` can be called here. */
export function hasSyncfs(): boolean {
  return load() !== null && areDescriptors();
}

/**
 * Whether a path leads to something; a link is not followed. False also for what cannot be seen; undefined when the
 * system cannot be asked. The runtime's call makes an error object for every absent path, which costs more than a copy's
 * own system calls.
 */
export function canBeSeen(path: string): boolean | undefined {
  const symbols = load()?.symbols;
  if (symbols === undefined || !path.isWellFormed()) return undefined;
  return symbols.faccessat(AT_FDCWD, utf8.encode(path + "\0"), F_OK, AT_SYMLINK_NOFOLLOW) === 0;
}

/**
 * Whether this account may make and remove names in a folder; a link is followed. Only asks: nothing is written. An
 * answer of `yes` is the system's, and a server may know better. Undefined when the system cannot be asked.
 */
export function mayWriteIn(folder: string): "yes" | "no" | "read-only" | undefined {
  const symbols = load()?.symbols;
  if (symbols === undefined || !folder.isWellFormed()) return undefined;
  const path = utf8.encode(folder + "\0");
  if (symbols.faccessat(AT_FDCWD, path, WRITE_AND_ENTER, 0) === 0) return "yes";
  const stat = new Uint8Array(STATVFS_BYTES);
  if (symbols.statvfs(path, stat) !== 0) return "no";
  return isReadOnly(stat) ? "read-only" : "no";
}

/** Whether an answer of `statvfs` says that the file system is mounted for reading only. */
export function isReadOnly(statvfs: Uint8Array): boolean {
  const { buffer, byteOffset } = statvfs;
  return (new DataView(buffer, byteOffset).getBigUint64(F_FLAG, true) & ST_RDONLY) !== 0n;
}

/** Flushes the file system of an open file; false when any write since it was opened could not be flushed. */
export async function syncfs(fd: number): Promise<boolean> {
  return await load()?.symbols.syncfs(fd) === 0;
}

/** `MoveFileExW` without its flag to replace; flushed, since Windows has no flush of a folder. */
export function moveNoReplace(from: string, to: string, calls: WindowsCalls): boolean {
  const [source, target] = [widePath(from), widePath(to)];
  if (source === undefined || target === undefined) return false;
  return calls.moveFile(source, target, MOVEFILE_WRITE_THROUGH);
}

/** Renames without replacing. False says only that it did not happen: the caller finds out why. */
export function renameNoReplace(from: string, to: string): boolean {
  const calls = windowsCalls();
  if (calls !== undefined) return moveNoReplace(from, to, calls);
  const symbols = load()?.symbols;
  if (symbols === undefined || !from.isWellFormed() || !to.isWellFormed()) return false;
  const [source, target] = [utf8.encode(from + "\0"), utf8.encode(to + "\0")];
  return symbols.renameat2(AT_FDCWD, source, AT_FDCWD, target, RENAME_NOREPLACE) === 0;
}

/** Direct reads want buffers, offsets and lengths in multiples of this many bytes; it suits every common disk. */
export const ALIGNMENT = 4096;

function addressOf(bytes: Uint8Array): number {
  try {
    return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  } catch {
    // No permission for addresses: direct reads then go through a buffer that the system refuses, and fall back.
    return 0;
  }
}

/** Whether a direct read can fill this buffer as it is. */
export function isAligned(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length % ALIGNMENT === 0 && addressOf(bytes) % ALIGNMENT === 0;
}

/** A buffer of at least `bytes`, rounded up to, and placed at, a multiple of `ALIGNMENT`. */
export function alignedBuffer(bytes: number): Uint8Array<ArrayBuffer> {
  const length = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
  const whole = new Uint8Array(length + ALIGNMENT);
  const over = addressOf(whole) % ALIGNMENT;
  return whole.subarray(over === 0 ? 0 : ALIGNMENT - over).subarray(0, length);
}
