/** Compares what lies in a folder with the evidence of an item (SAFETY S5 a). @module */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { compareBytes } from "../io/paths.ts";
import { walkTree } from "../io/walk.ts";
import type { ItemScope } from "../places/place.ts";

export interface ListingOptions {
  /** OS path of the item's folder. */
  root: string;
  /** An earlier run of the same destroy removed files: they may miss, and what was touched is read again before it goes. */
  mayMiss?: boolean;
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
  for await (const entry of walkTree(fs, options.root, { signal: scope.signal })) {
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
  for (; !next.done; next = await known.next()) missing.add(next.value.path);
  const found = [
    added.words("added"),
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
