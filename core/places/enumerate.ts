/** Enumerates an item at a folder place (SAFETY S14). @module */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { compareBytes } from "../io/paths.ts";
import { exactInode } from "../io/same.ts";
import { walkTree } from "../io/walk.ts";
import { Sample } from "../safety/listing.ts";
import type { ItemScope } from "./place.ts";

/**
 * Throws unless every file the evidence names lies in the folder, spelled the same, each a file of its own. Files
 * that no evidence names are reported to the log: they belong to no backup.
 * @throws {PipelineError} `verify/missing`
 */
export async function assertEnumerates(
  fs: FileSystem,
  scope: ItemScope,
  { place, root }: { place: string; root: string },
): Promise<void> {
  const missing = new Sample(), shared = new Sample(), extra = new Sample();
  const inodes = new Set<number>();
  const known = scope.evidence.list(scope.item.id, place)[Symbol.asyncIterator]();
  let next = await known.next();
  for await (const entry of walkTree(fs, root, { signal: scope.signal })) {
    if (entry.kind === "directory") continue;
    while (!next.done && compareBytes(next.value.path, entry.path) < 0) {
      missing.add(next.value.path);
      next = await known.next();
    }
    if (next.done || next.value.path !== entry.path) {
      if (entry.path !== SIDECAR_NAME) extra.add(entry.path);
      continue;
    }
    const inode = exactInode(next.value.identity);
    if (entry.kind !== "file") missing.add(entry.path);
    else if (inode !== null && inodes.has(inode)) shared.add(entry.path);
    if (inode !== null) inodes.add(inode);
    next = await known.next();
  }
  for (; !next.done; next = await known.next()) missing.add(next.value.path);
  const strays = extra.words("files there belong to no evidence");
  if (strays) scope.log.warn(`"${root}": ${strays}`);
  const found = [missing.words("missing"), shared.words("sharing one file with another name")].filter((words) => words);
  if (found.length === 0) return;
  throw new PipelineError("verify/missing", `Cannot verify "${scope.item.name}" at ${place}: ${found.join("; ")}`, {
    hint: "The place does not show what was written to it. Have the storage checked; the source is untouched.",
  });
}
