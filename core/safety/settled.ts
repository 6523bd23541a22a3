/**
 * Settled (SAFETY S13): a study that the source listed is locked only if nothing in it changed in between.
 * @module
 */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { walkTree } from "../io/walk.ts";
import type { TreeEntry } from "../ports.ts";

/** What a listing saw of a folder. */
export interface Listing {
  /** Of every entry in it, with its times. */
  digest: string;
  files: number;
  bytes: number;
}

/** Characters that are hashed at once. */
const BLOCK = 2 ** 15;

/** Passes entries on and tells what it saw at the end; a listing that is broken off tells nothing. */
export async function* digested(
  entries: AsyncIterable<TreeEntry>,
  onEnd: (listing: Listing) => void,
): AsyncGenerator<TreeEntry> {
  const hash = createHash("sha256");
  let [text, files, bytes] = ["", 0, 0];
  for await (const entry of entries) {
    const { path, kind, size, mtimeMs, ctimeMs } = entry;
    if (kind === "file") {
      files++;
      bytes += size;
    }
    // The study's own folder, whose times change with our lock, is no entry of its walk.
    const state = kind === "directory" ? `${ctimeMs}` : `${size} ${mtimeMs} ${ctimeMs}`;
    text += `${kind} ${state} ${path}\0`;
    if (text.length >= BLOCK) {
      hash.update(text);
      text = "";
    }
    yield entry;
  }
  onEnd({ digest: hash.update(text).digest("hex"), files, bytes });
}

/** @throws {PipelineError} `item/not-settled` when the folder no longer is what was listed */
export async function assertSettled(
  fs: FileSystem,
  { name, root, listed, signal }: { name: string; root: string; listed: string; signal: AbortSignal },
): Promise<void> {
  let now: string | undefined;
  for await (const _ of digested(walkTree(fs, root, { signal }), (seen) => now = seen.digest));
  if (now === listed) return;
  throw new PipelineError(
    "item/not-settled",
    `Cannot lock "${name}": it changed after it was listed, wanted it settled`,
    {
      retry: "transient",
      hint: "Something writes to the study. Nothing was copied; the next run takes it up when it is quiet.",
    },
  );
}
