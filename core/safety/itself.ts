/** Whether a folder is the item it is taken for, asked of the disk and not of whoever names it (SAFETY S3, S15). @module */
import { PipelineError } from "../errors.ts";
import { ioError } from "../io/io_errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { incarnationOf } from "./incarnation.ts";
import type { MarkedRoot } from "./roots.ts";

/** An item, and the folder somebody is about to act on in its name. */
export interface Claimed {
  item: { id: string; name: string };
  /** OS path of the folder. */
  root: string;
  /** The root that the item lies in. */
  within: Pick<MarkedRoot, "path" | "uuid">;
  /** A copy is known by its claim at the place; its incarnation is that of the study it was made of. */
  isCopy?: true;
}

/**
 * Throws unless what is about to go is the folder of this item, below the root it was taken up from, and no other.
 * @throws {PipelineError} `destroy/other-folder`
 */
export async function assertItself(
  fs: Pick<FileSystem, "lstat">,
  victim: Omit<Claimed, "item"> & { id: string },
  item: Claimed["item"],
): Promise<void> {
  const { root, within, isCopy } = victim;
  const found = await notItself(fs, { item, root, within, isCopy });
  if (found === undefined) return;
  throw new PipelineError("destroy/other-folder", `Cannot remove "${item.name}" from ${victim.id}: ${found}`, {
    hint: "Nothing of that folder was removed. Find out who put it there; the next run looks anew.",
  });
}

/** Returns what is wrong, in words; undefined when the folder is the item's, or is gone. */
export async function notItself(
  fs: Pick<FileSystem, "lstat">,
  { item, root, within, isCopy }: Claimed,
): Promise<string | undefined> {
  const wanted = itemPath(within.path, item.name);
  if (root !== wanted) return `its folder is taken to be "${root}", wanted "${wanted}"`;
  const stat = await fs.lstat(root).catch((cause) => {
    throw ioError(cause, { verb: "look at", path: root });
  });
  if (stat === undefined) return undefined;
  if (stat.kind !== "directory") return `"${root}" is a ${stat.kind} now, wanted the folder that was taken up`;
  if (isCopy || incarnationOf(within.uuid, stat, item.name) === item.id) return undefined;
  return `another folder stands at "${root}" than the one that was taken up`;
}
