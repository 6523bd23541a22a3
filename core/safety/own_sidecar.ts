/**
 * The archive's own list of hashes in a source, as a plain copy back from a place brings it along (SAFETY S14). It is
 * ours only by its bytes: their SHA-256 is the one that the ledger's `complete` record of this name holds.
 * @module
 */
import type { FileStat, FileSystem } from "../io/file_system.ts";
import { isOwnEntry, SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import { walkTree } from "../io/walk.ts";
import type { ItemScope } from "../places/place.ts";
import type { TreeEntry } from "../ports.ts";

/** What is looked at; `root`: the OS path of the study's folder, that of the source by default. */
type Where = { root?: string };

/** The list in the study's folder as it was while it was hashed; undefined when there is none, or other bytes. */
export async function ownSidecar(
  fs: FileSystem,
  { item, recordedSidecar, signal }: Pick<ItemScope, "item" | "recordedSidecar" | "signal">,
  { root = item.root }: Where = {},
): Promise<FileStat | undefined> {
  if (recordedSidecar === null) return undefined;
  const path = itemPath(root, SIDECAR_NAME);
  const stat = await fs.lstat(path);
  if (stat?.kind !== "file") return undefined;
  const { sha256, after } = await hashFile(fs, path, { signal });
  return sha256 === recordedSidecar ? after : undefined;
}

/** Entries of the item as `walkTree` gives them, without the list of hashes where it is proved ours. */
export async function* walkStudy(
  fs: FileSystem,
  scope: Pick<ItemScope, "item" | "recordedSidecar" | "signal">,
  { root = scope.item.root }: Where = {},
): AsyncGenerator<TreeEntry> {
  const ours = await ownSidecar(fs, scope, { root }) !== undefined;
  const leaveOut = (path: string) => isOwnEntry(path) || (ours && path === SIDECAR_NAME);
  yield* walkTree(fs, root, { signal: scope.signal, leaveOut });
}
