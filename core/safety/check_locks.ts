/** The locks that earlier runs left in studies (SAFETY S10): found and judged at the start of a run. @module */
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { LOCK_NAME } from "../io/names.ts";
import { sortBytes } from "../io/paths.ts";
import { type LockCheck, type LockOptions, StudyLock } from "./lock_file.ts";
import { isVanishing } from "./os_lock.ts";

/** Locks in the folders directly below a root, in byte order. Links are not followed. */
export async function* scanLocks(fs: FileSystem, root: string): AsyncGenerator<{ study: string; path: string }> {
  const entries = await fs.readDir(root).catch((error) => {
    throw ioError(error, { verb: "look for locks in", path: root });
  });
  const studies = entries.filter((entry) => entry.kind === "directory").map((entry) => entry.name);
  for (const study of sortBytes(studies)) {
    const path = join(root, study, LOCK_NAME);
    const there = await fs.lstat(path).then((stat) => stat !== undefined, (error) => {
      // Being removed, or denied: whoever looks closer waits, and says which.
      if (isVanishing(error)) return true;
      throw ioError(error, { verb: "look for a lock at", path });
    });
    if (there) yield { study, path };
  }
}

/** Whether the account may not even ask if something stands at a path. */
async function cannotLook(fs: FileSystem, path: string): Promise<boolean> {
  return await fs.lstat(path).then(() => false, isVanishing);
}

/**
 * Judges every lock below a source's root at the start of a run: dead ones are named in a warning (and reclaimed when
 * their study is locked), anything else stops the run. A lock that this account is told nothing of stops it last: what
 * the others say is worth more.
 * @throws {PipelineError} `lock/held`, `lock/found`, `lock/unprovable`, `lock/untold`: exit code 1
 */
export async function checkLocks(
  fs: FileSystem,
  root: string,
  options: LockCheck & Pick<LockOptions, "log">,
): Promise<void> {
  let untold: PipelineError | undefined;
  for await (const { study, path } of scanLocks(fs, root)) {
    options.signal?.throwIfAborted();
    const found = await StudyLock.check(fs, join(root, study), options).catch(async (error) => {
      if (!(error instanceof PipelineError)) throw error;
      if (error.code === "lock/untold") untold ??= error;
      // No lock: its study fails when its turn comes.
      else if (error.code === "lock/not-a-file") options.log?.warn(error.message, { path });
      // No lock was found: the folder lets nobody look. Whoever takes the study up fails alone (SAFETY S19).
      else if (!await cannotLook(fs, path)) throw error;
    });
    if (found === undefined || found.state === "free") continue;
    options.log?.warn(`"${study}" holds a lock that was left; it is reclaimed when its turn comes: ${found.why}`, {
      path,
    });
  }
  if (untold) throw untold;
}
