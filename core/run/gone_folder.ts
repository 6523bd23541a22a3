/** Whether the folder of an item is gone, so that the end of its destroy may be recorded (SAFETY S1, S4, S18). @module */
import { ioError } from "../io/io_errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { PLACE_MARKER_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import type { MarkedRoot } from "../safety/roots.ts";

/**
 * Whether nothing of this name stands below the root, on the medium. That a name is not found says nothing while a share
 * is away: the same listing must show the marker, and the root is looked at before and after.
 * @throws {PipelineError} `place/changed` when the root is another, or an `io/…` code
 */
export async function isFolderGone(fs: FileSystem, root: MarkedRoot, name: string): Promise<boolean> {
  await root.check();
  // The run that removed it may have died before that was on the medium; the ledger must not know more.
  await fs.syncDir(root.path);
  const listed = await fs.readDir(root.path).catch((cause) => {
    throw ioError(cause, { verb: "list", path: root.path });
  });
  const names = new Set(listed.map((entry) => entry.name));
  if (!names.has(PLACE_MARKER_NAME) || names.has(name)) return false;
  const standing = await fs.lstat(itemPath(root.path, name));
  await root.check();
  return standing === undefined;
}
