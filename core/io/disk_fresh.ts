/**
 * Opening a file so that its bytes come from the medium and not from the page cache.
 * @module
 */
import fs from "node:fs";
import { fdStat } from "./disk_stat.ts";
import type { FileStat, Medium } from "./file_system.ts";
import { errnoOf } from "./io_errors.ts";
import { type DirectTrial, honoursDirect, type LinuxSystem, mediumWithoutDirect, systemOf } from "./linux_systems.ts";
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

/** What is known of a device. */
interface Device {
  system: LinuxSystem;
  /** Whether direct reads go past the cache; undefined until one was tried. */
  direct?: boolean;
}

const devices = new Map<number, Device>();

function deviceOf(path: string, dev: number | null): Device {
  const known = dev === null ? undefined : devices.get(dev);
  if (known !== undefined) return known;
  const device: Device = { system: systemOf(fs.statfsSync(path).type) };
  if (device.system.kind === "unknown" || device.system.kind === "memory") device.direct = false;
  if (dev !== null) devices.set(dev, device);
  return device;
}

/** Reads `bytes` at the beginning of a file. False when the system refuses the way it was asked. */
function taken(fd: number, buffer: Uint8Array): boolean {
  try {
    fs.readSync(fd, buffer, 0, buffer.length, 0);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EINVAL") return false;
    throw error;
  }
}

const trialOf = (fd: number): DirectTrial => ({
  refusesUnaligned: () => !taken(fd, alignedBuffer(ALIGNMENT).subarray(1, 2)),
  takesAligned: () => taken(fd, alignedBuffer(ALIGNMENT)),
});

function openDirect(path: string, stat: FileStat, device: Device): number | undefined {
  if (device.direct === false) return undefined;
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | O_DIRECT | O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) !== "EINVAL") throw error;
    device.direct = false;
    return undefined;
  }
  let kept = false;
  try {
    if (device.direct === undefined) {
      const honoured = honoursDirect(device.system, trialOf(fd));
      // Of an empty file nothing can be tried, and there is nothing to be read from a cache.
      if (fs.fstatSync(fd).size > 0) device.direct = honoured;
    }
    kept = device.direct ?? stat.size === 0;
    return kept ? fd : undefined;
  } finally {
    if (!kept) fs.closeSync(fd);
  }
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

function openOnLinux(path: string, stat: FileStat): FreshFile {
  const device = deviceOf(path, stat.dev);
  const fd = openDirect(path, stat, device);
  if (fd !== undefined) return new DescriptorFile(fd, { medium: "direct", aligned: true, like: stat });
  const plain = fs.openSync(path, fs.constants.O_RDONLY | O_NOFOLLOW);
  try {
    const medium = mediumWithoutDirect(device.system, () => {
      fs.fdatasyncSync(plain); // only clean pages can be dropped
      return dropCache(plain, stat.size);
    });
    return new DescriptorFile(plain, { medium, aligned: false, like: stat });
  } catch (error) {
    fs.closeSync(plain);
    throw error;
  }
}

/** Opens for reading past the page cache where the system allows; the caller makes sure that it is the file it meant. */
export function openFresh(path: string, stat: FileStat): FreshFile {
  return Deno.build.os === "windows" ? openFreshOnWindows(path) : openOnLinux(path, stat);
}
