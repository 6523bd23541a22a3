/**
 * What the tests may ask of the file system in memory: operations, faults, mounts, seeds.
 * @module
 */
import type { Medium } from "../core/io/file_system.ts";

export type Operation =
  | "lstat"
  | "readDir"
  | "realPath"
  | "mkdir"
  | "openRead"
  | "createNew"
  | "openReadWrite"
  | "link"
  | "rename"
  | "renameNew"
  | "removeFile"
  | "removeEmptyDir"
  | "setMtime"
  | "syncDir"
  | "syncFile"
  | "space"
  | "readText"
  | "openBarrier"
  | "flush"
  | "read"
  | "write"
  | "stat"
  | "sync"
  | "truncate"
  | "tryLock"
  | "close";

export interface FaultCall {
  operation: Operation;
  path: string;
  /** The how-manieth primitive since the beginning, from 1. */
  count: number;
}

/** What a hook may do to a read or write besides throwing. */
export interface Fault {
  /** Flips this bit of the bytes read or written (counted from their first bit, modulo their length). */
  flipBit?: number;
  /** A read gives at most this many bytes. */
  short?: number;
}

export type FaultHook = (call: FaultCall) => Fault | void;

/** Thrown by a hook to stop the machine, and by every call after that until `restart`. */
export class CrashError extends Error {
  override readonly name = "CrashError";
  constructor() {
    super("the machine crashed");
  }
}

export interface MountOptions {
  /** How far the clock that stamps its files is ahead of this host's, in ms. */
  aheadMs?: number;
  /** Bytes it holds; writes beyond fail with ENOSPC. */
  capacity?: number;
  readOnly?: boolean;
  /** False: hard links fail with EPERM. */
  links?: boolean;
  /** False: `renameNew` is unsupported. */
  renameNew?: boolean;
  /** False: no barrier can be opened. */
  barrier?: boolean;
  /** True: names differing only in letter case are one. */
  ignoreCase?: boolean;
  /** How fresh reads say they reach the medium. Default: `direct`. */
  medium?: Medium;
}

export type Seed = Record<string, string | Uint8Array | { link: string }>;

export interface SeedOptions {
  /** mtime, ctime and birth time of what is made, in ms. Default: now. */
  at?: number;
}

/** Something a crash may lose: a file's bytes since its last flush, or a change of names. */
export interface Unflushed {
  kind: "content" | "names";
  path: string;
}

const ERROR_CLASSES: Record<string, new (message: string) => Error> = {
  ENOENT: Deno.errors.NotFound,
  EEXIST: Deno.errors.AlreadyExists,
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  EBUSY: Deno.errors.Busy,
};

/** A system error as the runtime throws it: for hooks. */
export function systemError(code: string, path = ""): Error {
  return Object.assign(new (ERROR_CLASSES[code] ?? Error)(`${code}: '${path}'`), { code });
}
