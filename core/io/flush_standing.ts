/**
 * Files that stand already, of which nobody knows whether they were flushed.
 * @module
 */
import type { FileSystem } from "./file_system.ts";
import { ioError } from "./io_errors.ts";
import { itemPath, parentOf } from "./paths.ts";

/**
 * Flushes files (`/`-separated, relative to `root`) and every folder that leads to them, the root itself included: a
 * file survives a loss of power only with all the names above it.
 * @throws an `io/…` code
 */
export async function flushStanding(
  fs: FileSystem,
  where: { root: string; paths: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const { root, paths } = where;
  const above = new Set<string>();
  for (const path of paths) {
    for (let folder = parentOf(path); !above.has(folder); folder = parentOf(folder)) above.add(folder);
  }
  const folders = Array.from(above, (folder) => folder === "" ? root : itemPath(root, folder));
  try {
    await fs.runSmall({ kind: "sync-files", paths: paths.map((path) => itemPath(root, path)) }, signal);
    await fs.runSmall({ kind: "sync-folders", folders }, signal);
  } catch (error) {
    throw signal.aborted ? error : ioError(error, { verb: "flush the files below", path: root });
  }
}
