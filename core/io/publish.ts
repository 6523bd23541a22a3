/**
 * Giving a finished file its final name, which never replaces anything (SAFETY S7): once for both ports.
 * @module
 */
import type { FileSystem } from "./file_system.ts";
import { errnoOf } from "./io_errors.ts";
import type { SyncPrimitives } from "./sync_primitives.ts";

/** What a file system without hard links, or out of them, answers. */
const LINKS_UNSUPPORTED: ReadonlySet<string> = new Set([
  "EPERM",
  "EACCES",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EMLINK",
  "EINVAL",
]);

/** What a link that failed means. @throws what it failed with, where that says nothing of links */
function afterLink(error: unknown): "taken" | "no-links" {
  const code = errnoOf(error) ?? "";
  if (code === "EEXIST") return "taken";
  if (LINKS_UNSUPPORTED.has(code)) return "no-links";
  throw error;
}

/**
 * Gives a temporary its final name, which must be free: by a rename that never replaces, else by a hard link, else
 * (where neither exists) by a rename after a look, under the claim or lock the caller holds. False when the name is
 * taken: the temporary stays then.
 */
export async function publish(
  fs: Pick<FileSystem, "renameNew" | "link" | "lstat" | "rename" | "removeFile">,
  temporary: string,
  to: string,
): Promise<boolean> {
  const renamed = await fs.renameNew(temporary, to);
  if (renamed !== undefined) return renamed;
  try {
    await fs.link(temporary, to);
  } catch (error) {
    if (afterLink(error) === "taken" || await fs.lstat(to) !== undefined) return false;
    await fs.rename(temporary, to);
    return true;
  }
  await fs.removeFile(temporary);
  return true;
}

/** As `publish`, in the synchronous steps of a file thread. */
export function publishSync(disk: SyncPrimitives, temporary: string, to: string): boolean {
  const renamed = disk.renameNew(temporary, to);
  if (renamed !== undefined) return renamed;
  try {
    disk.link(temporary, to);
  } catch (error) {
    if (afterLink(error) === "taken" || disk.lstat(to) !== undefined) return false;
    disk.rename(temporary, to);
    return true;
  }
  disk.removeFile(temporary);
  return true;
}
