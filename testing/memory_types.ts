/**
 * What the tests may ask of the file system in memory: operations, faults, mounts, seeds.
 * @module
 */

/** The primitives of the file system, as hooks see them. */
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

/** One primitive that is about to be done. */
export interface FaultCall {
  /** Which. */
  operation: Operation;
  /** At which path. */
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

/** May throw a system error or a `CrashError`, or say what to do to bytes. */
export type FaultHook = (call: FaultCall) => Fault | void;

/**
 * Thrown by a hook to stop the machine, and by every call after that until `restart`.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { CrashError, MemoryFileSystem } from "labferry/testing";
 *
 * const fs = new MemoryFileSystem({ files: { "/a.txt": "alpha" } });
 * fs.fault = () => {
 *   throw new CrashError();
 * };
 * await assert.rejects(fs.readText("/a.txt"), CrashError);
 * ```
 */
export class CrashError extends Error {
  /** Tells it from other errors. */
  override readonly name = "CrashError";
  constructor() {
    super("the machine crashed");
  }
}

/** What a device can do. */
export interface MountOptions {
  /** How far the clock that stamps its files is ahead of this host's, in ms. */
  aheadMs?: number;
  /** Bytes it holds; writes beyond fail with ENOSPC. */
  capacity?: number;
  /** True: what writes fails with EROFS. */
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
  medium?: "direct" | "dropped-cache" | "cached";
}

/** Files by absolute path; a path that ends in `/` is a folder. */
export type Seed = Record<string, string | Uint8Array | { link: string }>;

/** How a seed is made. */
export interface SeedOptions {
  /** mtime, ctime and birth time of what is made, in ms. Default: now. */
  at?: number;
}

/** Something a crash may lose: a file's bytes since its last flush, or a change of names. */
export interface Unflushed {
  /** Bytes of a file, or a change of names. */
  kind: "content" | "names";
  /** Of what. */
  path: string;
}

const ERROR_CLASSES: Record<string, new (message: string) => Error> = {
  ENOENT: Deno.errors.NotFound,
  EEXIST: Deno.errors.AlreadyExists,
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  EBUSY: Deno.errors.Busy,
};

/**
 * A system error as the runtime throws it: for hooks.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MemoryFileSystem, systemError } from "labferry/testing";
 *
 * const fs = new MemoryFileSystem({ files: { "/a.txt": "alpha" } });
 * fs.fault = ({ operation, path }) => {
 *   if (operation === "readText") throw systemError("EACCES", path);
 * };
 * await assert.rejects(fs.readText("/a.txt"), Deno.errors.PermissionDenied);
 * ```
 */
export function systemError(code: string, path = ""): Error {
  return Object.assign(new (ERROR_CLASSES[code] ?? Error)(`${code}: '${path}'`), { code });
}
