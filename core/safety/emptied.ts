/** What is left of an item once its files are gone, and goes too: its folders, and a copy's list of checksums. @module */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { sameFile } from "../io/same.ts";
import type { ItemScope, Place } from "../places/place.ts";
import { FolderGuard } from "./folder_guard.ts";
import { Sample, unprovedFolders } from "./listing.ts";
import { ownSidecar, walkStudy } from "./own_sidecar.ts";
import type { Remover } from "./remover.ts";

export interface Emptied {
  fs: FileSystem;
  survivors: readonly Place[];
  victim: { id: string; root: string };
  remover: Remover;
  /** Proves that the list of checksums may go as well. */
  assertListHeld(): Promise<void>;
  /** Called right before each act. */
  onAct(kind: "file" | "folder"): void;
}

/**
 * Removes the emptied folders, then the list of checksums. Returns false when what is left has to be proved anew first.
 * @throws {PipelineError} `destroy/left-over`, `destroy/escapes`, `destroy/source-changed`
 */
export async function removeEmptied(scope: ItemScope, emptied: Emptied): Promise<boolean> {
  const { fs, victim, remover } = emptied;
  const folders: string[] = [];
  const left = new Sample();
  for await (const entry of walkStudy(fs, scope, { root: victim.root })) {
    if (entry.kind === "directory") folders.push(entry.path);
    else left.add(entry.path);
  }
  const unproved = await unprovedFolders(scope, folders, emptied.survivors);
  if (left.count + unproved.count > 0) throw leftOver(scope, { victim, left, unproved });
  const guard = new FolderGuard(fs, victim.root);
  for (const folder of folders.reverse()) {
    await guard.check(folder);
    const path = itemPath(victim.root, folder);
    if (!await remover.remove(path, { kind: "folder", onAct: () => emptied.onAct("folder") })) return false;
  }
  return await removeSidecar(scope, { ...emptied, guard });
}

function leftOver(
  { item }: ItemScope,
  { victim, left, unproved }: Pick<Emptied, "victim"> & { left: Sample; unproved: Sample },
): PipelineError {
  const found = [left.words("files no evidence covers"), unproved.words("empty folders no place has")];
  return new PipelineError(
    "destroy/left-over",
    `Cannot finish removing "${item.name}" from ${victim.id}: ${
      found.filter((words) => words !== undefined).join("; ")
    }`,
    { hint: "They arrived after the backup and stay. Move them into a study of their own name." },
  );
}

/** S14: the archive's own list goes by the proof that it is that list, which a place still holds. */
async function removeSidecar(
  scope: ItemScope,
  { fs, victim, remover, guard, assertListHeld, onAct }: Emptied & { guard: FolderGuard },
): Promise<boolean> {
  const path = itemPath(victim.root, SIDECAR_NAME);
  if (await fs.lstat(path) === undefined) return true;
  await assertListHeld();
  await guard.check(SIDECAR_NAME);
  const proved = await ownSidecar(fs, scope, { root: victim.root });
  const stat = await fs.lstat(path);
  if (!proved || !stat || !sameFile(proved, stat)) {
    throw new PipelineError(
      "destroy/source-changed",
      `Cannot remove "${scope.item.name}" from ${victim.id}: ${SIDECAR_NAME} is not the archive's list any more`,
      { hint: "Nothing in doubt was removed. Look at what changed; the next run proves everything again." },
    );
  }
  return await remover.remove(path, { kind: "file", onAct: () => onAct("file") });
}
