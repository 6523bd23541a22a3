/**
 * Opening a file so that its bytes come from the medium and not from the page cache.
 * @module
 */
import fs from "node:fs";
import { fdStat } from "./disk_stat.ts";
import type { FileStat, Medium } from "./file_system.ts";
import { errnoOf } from "./io_errors.ts";
import { alignedBuffer, ALIGNMENT, dropCache } from "./native.ts";
import { openFreshOnWindows } from "./windows_fresh.ts";

/** A file opened for fresh reads, and how they reach the medium. */
export interface FreshFile {
  readonly medium: Medium;
  /** Reads take a position, and buffer and position are aligned (`DirectCursor`). Else they go in order, position null. */
  readonly aligned: boolean;
  stat(): FileStat;
  /** Bytes read; 0 at the end. */
  readSync(target: Uint8Array, position: number | null): number;
  read(target: Uint8Array, position: number | null): Promise<number>;
  close(): void;
}

/** Whether this system has a way past its cache. */
export const canReadFresh = Deno.build.os === "linux" || Deno.build.os === "windows";

const ARM = Deno.build.arch === "aarch64";
const O_DIRECT = ARM ? 0o200000 : 0o40000;
const O_NOFOLLOW = ARM ? 0o100000 : 0o400000;

/** File systems whose pages are the medium itself: there is nothing beneath to read. From `linux/magic.h`. */
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

/** An open descriptor of Linux. */
class DescriptorFile implements FreshFile {
  readonly medium: Medium;
  readonly aligned: boolean;
  readonly #fd: number;
  readonly #like: FileStat;

  constructor(fd: number, how: { medium: Medium; aligned: boolean; like: FileStat }) {
    this.#fd = fd;
    this.medium = how.medium;
    this.aligned = how.aligned;
    this.#like = how.like;
  }

  stat = () => fdStat(this.#fd, this.#like);
  close = () => fs.closeSync(this.#fd);

  readSync(target: Uint8Array, position: number | null): number {
    return fs.readSync(this.#fd, target, 0, target.length, position);
  }

  read(target: Uint8Array, position: number | null): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, 0, target.length, position, (error, got) => error ? reject(error) : resolve(got));
    });
  }
}

function mediumOf(fd: number, path: string): Medium {
  if (MEMORY_FILE_SYSTEMS.has(fs.statfsSync(path).type)) return "direct";
  // Only clean pages can be dropped.
  fs.fdatasyncSync(fd);
  return dropCache(fd) ? "dropped-cache" : "cached";
}

function openOnLinux(path: string, stat: FileStat): FreshFile {
  const fd = openDirect(path, stat);
  if (fd !== undefined) return new DescriptorFile(fd, { medium: "direct", aligned: true, like: stat });
  const plain = fs.openSync(path, fs.constants.O_RDONLY | O_NOFOLLOW);
  try {
    return new DescriptorFile(plain, { medium: mediumOf(plain, path), aligned: false, like: stat });
  } catch (error) {
    fs.closeSync(plain);
    throw error;
  }
}

/** Opens for reading past the page cache where the system allows; the caller makes sure that it is the file it meant. */
export function openFresh(path: string, stat: FileStat): FreshFile {
  return Deno.build.os === "windows" ? openFreshOnWindows(path) : openOnLinux(path, stat);
}
