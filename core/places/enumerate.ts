/** Enumerates an item at a folder place (SAFETY S14). @module */
import { PipelineError } from "../errors.ts";
import type { Evidence } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { compareBytes } from "../io/paths.ts";
import { exactInode } from "../io/same.ts";
import { walkTree } from "../io/walk.ts";
import { Sample } from "../safety/listing.ts";
import type { ItemScope } from "./place.ts";

/** Inodes held at a time, each some 40 bytes. A larger study is looked through once more for every further so many. */
const INODES_AT_ONCE = 250_000;

/**
 * Throws unless every file the evidence names lies in the folder, spelled the same, each a file of its own. Files
 * that no evidence names are reported to the log: they belong to no backup.
 * @throws {PipelineError} `verify/missing`
 */
export async function assertEnumerates(
  fs: FileSystem,
  scope: ItemScope,
  { place, root, inodesAtOnce = INODES_AT_ONCE }: { place: string; root: string; inodesAtOnce?: number },
): Promise<void> {
  const missing = new Sample(), shared = new Sample(), extra = new Sample();
  const { files } = await scope.evidence.totals(scope.item.id, place);
  const inodes = new InodePart(0, Math.max(1, Math.ceil(files / inodesAtOnce)));
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
    if (inodes.isKnown(next.value)) shared.add(entry.path);
    if (entry.kind !== "file") missing.add(entry.path);
    next = await known.next();
  }
  for (; !next.done; next = await known.next()) missing.add(next.value.path);
  for (let part = 1; part < inodes.parts; part++) {
    const more = new InodePart(part, inodes.parts);
    for await (const row of scope.evidence.list(scope.item.id, place)) if (more.isKnown(row)) shared.add(row.path);
  }
  const strays = extra.words("files there belong to no evidence");
  if (strays) scope.log.warn(`"${root}": ${strays}`);
  const found = [missing.words("missing"), shared.words("sharing one file with another name")].filter((words) => words);
  if (found.length === 0) return;
  throw new PipelineError("verify/missing", `Cannot verify "${scope.item.name}" at ${place}: ${found.join("; ")}`, {
    hint: "The place does not show what was written to it. Have the storage checked; the source is untouched.",
  });
}

/** Inodes of one part of all files: those that leave the same remainder. */
class InodePart {
  readonly parts: number;
  readonly #part: number;
  readonly #seen = new Set<number>();

  constructor(part: number, parts: number) {
    this.#part = part;
    this.parts = parts;
  }

  /** Whether another file showed this one's inode before; remembers it. */
  isKnown({ identity }: Evidence): boolean {
    const inode = exactInode(identity);
    if (inode === null || inode % this.parts !== this.#part) return false;
    if (this.#seen.has(inode)) return true;
    this.#seen.add(inode);
    return false;
  }
}
