/**
 * Looking at a lock that lies there: whose it is, whether its holder lives, and the removal of one that is proved dead
 * (SAFETY S10).
 * @module
 */
import { basename, dirname } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileStat, FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import type { ProcessLiveness } from "../io/process_info.ts";
import type { Clock } from "../ports.ts";
import { judgeLock, type LockInspection, parseLockHolder, sameHost } from "./lock_judgement.ts";
import { isStill, readSmall, severalTries, tryStanding } from "./os_lock.ts";

/** Who asks, and how the system tells whether a holder lives. */
export interface LockAsker {
  host: string;
  pid: number;
  processes: ProcessLiveness;
}

/** Judges the text of a lock that nobody holds. */
export async function judgeText(text: string, { host, pid, processes }: LockAsker): Promise<LockInspection> {
  const holder = parseLockHolder(text);
  const life = holder !== undefined && sameHost(holder.host, host) ? await processes.isAlive(holder.pid) : undefined;
  return judgeLock({ osLock: true, text, life }, { host, pid });
}

/** Looks at a lock without taking it over. Makes no file. */
export async function inspectLock(
  fs: FileSystem,
  path: string,
  asker: LockAsker & { clock?: Clock; signal?: AbortSignal },
): Promise<LockInspection> {
  try {
    return await severalTries(asker, () => inspect(fs, path, asker)) ?? FREE;
  } catch (error) {
    if (isAbsent(error)) return FREE;
    throw ioError(error, { verb: "look at the lock", path });
  }
}

/**
 * A folder or a link under a lock's name was made by no labferry, and nobody can hold it. It keeps its own study from
 * being worked on, and no other (SAFETY S19).
 * @throws {PipelineError} `lock/not-a-file`
 */
export function assertLockFile(path: string, { kind }: Pick<FileStat, "kind">): void {
  if (kind === "file") return;
  const found = kind === "symlink" ? "link" : kind === "directory" ? "folder" : "special file";
  throw new PipelineError(
    "lock/not-a-file",
    `Cannot lock "${basename(dirname(path))}": "${path}" is a ${found}, wanted a file or nothing`,
    { hint: "No labferry made it, and nobody holds it. Look at what it is, move it away by hand, then run again." },
  );
}

async function inspect(fs: FileSystem, path: string, asker: LockAsker): Promise<LockInspection> {
  const stat = await fs.lstat(path);
  if (stat === undefined) return FREE;
  assertLockFile(path, stat);
  const { handle, locked } = await tryStanding(fs, path);
  await using _closing = handle;
  if (locked === undefined) return UNTOLD;
  if (!locked) return judgeLock({ osLock: false, text: await textAt(fs, path) }, asker);
  if (!await isStill(fs, path, handle)) return FREE;
  return await judgeText(await readSmall(handle), asker);
}

const UNTOLD: LockInspection = {
  state: "untold",
  why: "only an account that may write it is told here whether it is held",
};
const FREE: LockInspection = { state: "free", why: "there is no lock" };

async function textAt(fs: FileSystem, path: string): Promise<string> {
  try {
    return await fs.readText(path);
  } catch {
    return ""; // gone, or locked against reading: a held lock needs no text
  }
}

/**
 * Removes a lock whose holder is proved dead; with `force`, also one that nobody can prove (a person has looked). A held
 * lock is never removed.
 */
export async function removeDeadLock(
  fs: FileSystem,
  path: string,
  options: LockAsker & { force?: boolean },
): Promise<LockInspection & { removed: boolean }> {
  const found = await inspectLock(fs, path, options);
  const may = found.state === "dead" || (found.state === "unprovable" && options.force === true);
  if (!may) return { ...found, removed: false };
  await using handle = await fs.openReadWrite(path);
  if (!await handle.tryLock() || !await isStill(fs, path, handle)) {
    return { state: "held", why: "another process has taken it meanwhile", removed: false };
  }
  // Judged again under the lock: between the two looks another run may have come and left a lock of its own.
  const again = await judgeText(await readSmall(handle), options);
  if (again.state !== found.state) return { ...again, removed: false };
  await fs.removeFile(path);
  return { ...again, removed: true };
}
