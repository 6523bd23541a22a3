/**
 * Locks that lie with what they protect (SAFETY S10, S11): an OS lock on a file decides, its JSON is for people.
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileHandle, FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { LOCK_NAME } from "../io/names.ts";
import { isSameFile } from "../io/same.ts";
import type { Clock, Logger } from "../ports.ts";
import { assertLockFile, inspectLock, judgeText, type LockAsker } from "./inspect_lock.ts";
import {
  describeHolder,
  formatLockHolder,
  type LockHolder,
  type LockInspection,
  parseLockHolder,
} from "./lock_judgement.ts";
import { isStill, isVanishing, readSmall, severalTries } from "./os_lock.ts";

/** Name of the lock that `backup` and `cleanup` both hold at the NAS. */
export const RUN_LOCK_NAME = ".cleanup.lock";

export interface LockOptions extends LockAsker {
  /** ISO 8601 UTC. */
  startedAt: string;
  runName: string;
  /** `reclaim`: a lock whose holder is proved dead is taken over with a warning. `refuse`: any lock found stops the run. */
  staleLocks: "reclaim" | "refuse";
  log?: Logger;
  clock?: Clock;
  signal?: AbortSignal;
}

export type LockCheck = LockAsker & Pick<LockOptions, "staleLocks" | "signal">;

/** What differs between the locks: the words, and how a run ends that meets one. */
interface LockKind {
  subject: (path: string) => string;
  held: (message: string, options: { hint: string }) => PipelineError;
  unlock: (path: string) => string;
}

const STUDY: LockKind = {
  subject: (path) => basename(dirname(path)),
  held: (message, options) => new PipelineError("lock/held", message, { ...options, stopsRun: 1 }),
  unlock: (path) => `labferry unlock ${basename(dirname(path))}`,
};

const RUN: LockKind = {
  subject: (path) => dirname(path),
  held: (message, options) => new PipelineError("lock/run-held", message, { ...options, stopsRun: 2 }),
  unlock: (path) => `labferry unlock ${path}`,
};

/** A lock this process holds. */
class HeldLock implements AsyncDisposable {
  readonly path: string;
  readonly #fs: FileSystem;
  /**
   * What this process wrote: some shares do not pass OS locks on, and then the last writer has the lock. So it is written
   * once and never again, which would take a lost lock back unnoticed.
   */
  readonly #text: string;
  #handle: FileHandle | undefined;
  /** Reading moves the handle's position, so that looks must not overlap. */
  #look: Promise<unknown> = Promise.resolve();

  constructor(fs: FileSystem, path: string, taken: Taken) {
    this.#fs = fs;
    this.path = path;
    this.#handle = taken.handle;
    this.#text = taken.text;
  }

  /**
   * @throws {PipelineError} `lock/lost` when the file was removed, replaced or written by another process, or the lock
   * released
   */
  async assertHeld(): Promise<void> {
    if (this.#handle === undefined || !await isStill(this.#fs, this.path, this.#handle)) {
      throw lost(
        this.path,
        "removed or replaced",
        "Somebody removed the lock file by hand. Nothing more is changed; run again.",
      );
    }
    const text = await this.#read();
    if (text !== this.#text) throw taken(this.path, text);
  }

  /** What the file says now; empty when the lock was released meanwhile. */
  #read(): Promise<string> {
    const text = this.#look.then(() => this.#handle === undefined ? "" : readSmall(this.#handle));
    this.#look = text.catch(() => {}); // the caller is told by `text`
    return text;
  }

  /**
   * Removes the file while the lock is still held, then lets go: whoever waits meets a file that is no longer the path's.
   * Windows allows it, since the runtime opens files so that they can be removed; there the name may stay, and refuse
   * every open, until the last handle is closed. A second call does nothing.
   */
  async release(): Promise<void> {
    await this.#look;
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) return;
    try {
      // What another process wrote into is that process's lock.
      const ours = await isStill(this.#fs, this.path, handle) && await readSmall(handle) === this.#text;
      if (ours) await this.#fs.removeFile(this.path);
    } catch (error) {
      // The study's folder may be gone with its file system; what is left of the lock is judged dead by the next run.
      if (!isAbsent(error)) throw ioError(error, { verb: "release the lock", path: this.path });
    } finally {
      await handle.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** The lock of one study: `<study>/.labferry.lock`. */
export class StudyLock extends HeldLock {
  /**
   * @throws {PipelineError} `lock/held`, `lock/found`, `lock/unprovable`: all stop the run with exit code 1;
   * `lock/not-a-file`: the study fails
   */
  static async acquire(fs: FileSystem, study: string, options: LockOptions): Promise<StudyLock> {
    const path = join(study, LOCK_NAME);
    return new StudyLock(fs, path, await acquire({ fs, path, kind: STUDY }, options));
  }

  /** Takes nothing. @throws {PipelineError} as `acquire` would */
  static check(fs: FileSystem, study: string, options: LockCheck): Promise<LockInspection> {
    return check({ fs, path: join(study, LOCK_NAME), kind: STUDY }, options);
  }
}

/** The lock of a run at the NAS: `<truenas_root>/.cleanup.lock`. */
export class RunLock extends HeldLock {
  /** @throws {PipelineError} `lock/run-held` (exit code 2), `lock/found`, `lock/unprovable` (exit code 1) */
  static async acquire(fs: FileSystem, root: string, options: LockOptions): Promise<RunLock> {
    const path = join(root, RUN_LOCK_NAME);
    return new RunLock(fs, path, await acquire({ fs, path, kind: RUN }, options));
  }

  /** Takes nothing. @throws {PipelineError} as `acquire` would */
  static check(fs: FileSystem, root: string, options: LockCheck): Promise<LockInspection> {
    return check({ fs, path: join(root, RUN_LOCK_NAME), kind: RUN }, options);
  }
}

function lost(path: string, how: string, hint: string): PipelineError {
  return new PipelineError("lock/lost", `Cannot go on with "${dirname(path)}": its lock was ${how}`, { hint });
}

function taken(path: string, text: string): PipelineError {
  const holder = parseLockHolder(text);
  return lost(
    path,
    `written by ${holder ? describeHolder(holder) : "another process"}`,
    "This share does not keep locks between hosts. Nothing more is changed here; let one host work at a time.",
  );
}

/** A lock file that is open and locked, and what was written into it. */
interface Taken {
  handle: FileHandle;
  text: string;
}

interface LockTarget {
  fs: FileSystem;
  path: string;
  kind: LockKind;
}

async function acquire(target: LockTarget, options: LockOptions): Promise<Taken> {
  const { fs, path, kind } = target;
  try {
    const before = await fs.lstat(path).catch(undefinedWhileVanishing);
    if (before) assertLockFile(path, before);
    const found = await severalTries(options, async () => {
      const handle = await fs.openReadWrite(path);
      let kept = false;
      try {
        if (!await handle.tryLock() || !await isStill(fs, path, handle)) return undefined;
        const existed = before !== undefined && isSameFile(await handle.stat(), before);
        const text = await takeOver(target, handle, { ...options, existed });
        kept = true;
        return { handle, text };
      } finally {
        if (!kept) await handle.close();
      }
    });
    if (found === undefined) throw held(kind, path, await holderAt(fs, path));
    return found;
  } catch (error) {
    throw ioError(error, { verb: "lock", path });
  }
}

function undefinedWhileVanishing(error: unknown): undefined {
  if (!isVanishing(error)) throw error;
}

/** With the OS lock in hand: refuses what the text of an earlier holder demands, then writes our own and returns it. */
async function takeOver(
  { fs, path, kind }: LockTarget,
  handle: FileHandle,
  options: LockOptions & { existed: boolean },
): Promise<string> {
  const before = await readSmall(handle);
  if (before !== "" || options.existed) {
    const found = await judgeText(before, options);
    refuseUnlessDead({ found, path, kind }, options);
    options.log?.warn(`A lock that was left is reclaimed: ${found.why}`, { path });
  }
  const { host, pid, startedAt, runName } = options;
  const text = formatLockHolder({ host, pid, started_at: startedAt, run_name: runName });
  try {
    await handle.seek(0);
    await handle.truncate(0);
    await handle.write(new TextEncoder().encode(text));
    await handle.sync();
  } catch (error) {
    // A lock that says nothing would be found by every run after this one; while it is held, it is nobody else's.
    if (await isStill(fs, path, handle).catch(() => false)) await fs.removeFile(path).catch(() => {});
    throw error;
  }
  const now = await readSmall(handle);
  if (now !== text) throw taken(path, now);
  return text;
}

function refuseUnlessDead(
  { found, path, kind }: { found: LockInspection; path: string; kind: LockKind },
  { staleLocks }: Pick<LockOptions, "staleLocks">,
): void {
  const subject = kind.subject(path);
  const hint = `Make sure that no labferry works there any more, then run: ${kind.unlock(path)}`;
  if (found.state === "held") throw held(kind, path, found.holder);
  if (found.state === "unprovable") {
    throw new PipelineError("lock/unprovable", `Cannot lock "${subject}": a lock was left there and ${found.why}`, {
      hint: found.isChild ? "Wait until that program has ended, or end it; then run again." : hint,
      stopsRun: 1,
    });
  }
  if (found.state === "untold") {
    throw new PipelineError("lock/untold", `Cannot look at the lock of "${subject}": ${found.why}`, {
      hint: "Run it by the account that makes the backups, or let this one write the lock file.",
      stopsRun: 1,
    });
  }
  if (staleLocks === "reclaim") return;
  throw new PipelineError("lock/found", `Cannot lock "${subject}": a lock was left there and ${found.why}`, {
    hint: `${hint} (stale_locks = "refuse" keeps every lock for a person to look at)`,
    stopsRun: 1,
  });
}

function held(kind: LockKind, path: string, holder: LockHolder | "unreadable" | undefined): PipelineError {
  const by = holder === "unreadable"
    ? "another process; while it is, this system lets nobody read by whom"
    : holder
    ? describeHolder(holder)
    : "another process that does not say who it is";
  const find = holder === "unreadable"
    ? ` The list of open files, here or at the NAS, names the holder of "${path}".`
    : "";
  return kind.held(`Cannot lock "${kind.subject(path)}": it is held by ${by}`, {
    hint: `Wait until that run has ended. If it hangs, stop that process, then run: ${kind.unlock(path)}${find}`,
  });
}

/** The holder as the path tells it. A lock of Windows keeps others from reading the file, whatever its range. */
async function holderAt(fs: FileSystem, path: string): Promise<LockHolder | "unreadable" | undefined> {
  try {
    return parseLockHolder(await fs.readText(path));
  } catch (error) {
    return isAbsent(error) ? undefined : "unreadable"; // either way the words do without
  }
}

/** Judges a lock without taking it: throws as taking it would, else gives what was found. */
async function check({ fs, path, kind }: LockTarget, options: LockCheck): Promise<LockInspection> {
  const found = await inspectLock(fs, path, options);
  if (found.state !== "free") refuseUnlessDead({ found, path, kind }, options);
  return found;
}
