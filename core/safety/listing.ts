/** Compares what lies in a folder with the evidence of an item (SAFETY S5 a). @module */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { compareBytes, parentOf } from "../io/paths.ts";
import type { ItemScope, Place } from "../places/place.ts";
import { walkStudy } from "./own_sidecar.ts";

export interface ListingOptions {
  /** OS path of the item's folder. */
  root: string;
  /** An earlier run of the same destroy removed files: they may miss, and what was touched is read again before it goes. */
  mayMiss?: boolean;
  /** Places that must have the item's empty folders, which carry no evidence: every one, or `some` of them. */
  holders?: readonly Place[];
  some?: true;
  /** Code of the error; default `item/source-changed`. */
  code?: string;
}

/** Throws unless folder and evidence of the source name the same files with the same sizes and times. Streams both. */
export async function assertListingIsEvidence(
  fs: FileSystem,
  scope: ItemScope,
  options: ListingOptions,
): Promise<void> {
  const added = new Sample(), missing = new Sample(), changed = new Sample();
  const known = scope.evidence.list(scope.item.id, SOURCE_PLACE)[Symbol.asyncIterator]();
  let next = await known.next();
  const unheld = new Sample();
  let open: string | undefined; // a folder nothing was seen in yet
  const closeFolder = async () => {
    if (open !== undefined && !options.mayMiss && !await isHeld(scope, open, options)) unheld.add(open);
  };
  for await (const entry of walkStudy(fs, scope, { root: options.root })) {
    if (open !== undefined && !entry.path.startsWith(`${open}/`)) await closeFolder();
    open = entry.kind === "directory" ? entry.path : undefined;
    if (entry.kind === "directory") continue;
    while (!next.done && compareBytes(next.value.path, entry.path) < 0) {
      missing.add(next.value.path);
      next = await known.next();
    }
    if (next.done || next.value.path !== entry.path || entry.kind !== "file") {
      added.add(entry.path);
      continue;
    }
    const { identity } = next.value;
    const touched = !options.mayMiss && (identity?.mtimeMs !== entry.mtimeMs || identity.ctimeMs !== entry.ctimeMs);
    if (next.value.size !== entry.size || touched) changed.add(entry.path);
    next = await known.next();
  }
  await closeFolder();
  for (; !next.done; next = await known.next()) missing.add(next.value.path);
  const found = [
    added.words("added"),
    unheld.words("empty folders added"),
    changed.words("changed"),
    options.mayMiss ? undefined : missing.words("removed"),
  ].filter((words) => words !== undefined);
  if (found.length === 0) return;
  throw new PipelineError(
    options.code ?? "item/source-changed",
    `Cannot go on with "${scope.item.name}": its files changed after they were copied: ${found.join("; ")}`,
    { hint: "Nothing was removed. Let the instrument finish writing, then run again." },
  );
}

async function isHeld(scope: ItemScope, path: string, { holders, some }: ListingOptions): Promise<boolean> {
  if (holders === undefined) return true;
  for (const place of holders) {
    const held = await place.holdsFolder(scope, path);
    if (held && some) return true;
    if (!held && !some) return false;
  }
  return !some;
}

/**
 * Returns those folders without a folder below them that no evidence ever lay in and that no place has. `folders` in
 * the order of a walk.
 */
export async function unprovedFolders(
  scope: ItemScope,
  folders: readonly string[],
  holders: readonly Place[],
): Promise<Sample> {
  const unproved = new Sample();
  const rest = new Set(folders);
  if (rest.size === 0) return unproved;
  for await (const { path } of scope.evidence.list(scope.item.id, SOURCE_PLACE)) {
    // A folder leaves the set together with all that it lies in.
    for (let folder = parentOf(path); folder !== "" && rest.delete(folder); folder = parentOf(folder));
    if (rest.size === 0) return unproved;
  }
  for (const [index, folder] of folders.entries()) {
    const holdsFolder = folders[index + 1]?.startsWith(`${folder}/`);
    if (rest.has(folder) && !holdsFolder && !await isHeld(scope, folder, { root: "", holders, some: true })) {
      unproved.add(folder);
    }
  }
  return unproved;
}

/** Counts all, remembers a few. */
export class Sample {
  #count = 0;
  readonly #first: string[] = [];

  add(path: string): void {
    if (this.#count++ < 5) this.#first.push(path);
  }

  get count(): number {
    return this.#count;
  }

  /** For example `2 added (a, b)`; undefined when there are none. */
  words(what: string): string | undefined {
    if (this.#count === 0) return undefined;
    const rest = this.#count > this.#first.length ? ` and ${this.#count - this.#first.length} more` : "";
    return `${this.#count} ${what} (${this.#first.join(", ")}${rest})`;
  }
}
