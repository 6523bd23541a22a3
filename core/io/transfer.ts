/**
 * The byte paths of the engine. Large files go through `copyLarge` and `hashFile` one by one, small ones through
 * `copySmall` and `hashSmall` in batches. All of them read between two equal stats and never replace a final name.
 * @module
 */
import type { FileSystem, LargeResult, SmallResult } from "./file_system.ts";
import { hashSmall, SMALL_FILE_BYTES } from "./small_files.ts";
import { copyHere, hashHere, type LargeCopy, type PassOptions } from "./large_files.ts";

export { copySmall, type CopySmallOptions, errorOf, hashSmall, SMALL_FILE_BYTES } from "./small_files.ts";
export type { LargeCopy, PassOptions } from "./large_files.ts";
export { makeFolders } from "./folders.ts";

/**
 * Copies one file of any size, whose parent folder stands: one pass of the source between two equal stats, hashed while
 * it is written under `temporary`, mtime kept, flushed (unless `durability` is `cached`), published as `to` without ever
 * replacing, parent flushed. A final name that stands is proved by reading both: equal bytes give `existed: true`.
 * @throws {PipelineError} `copy/conflict` when other bytes stand under `to`, `copy/source-changed`, `copy/short-read`,
 * `copy/not-a-file`, or an `io/…` code. The signal's reason when it aborts. No final name is left half-written.
 */
export async function copyLarge(fs: FileSystem, copy: LargeCopy, options: PassOptions): Promise<LargeResult> {
  options.signal.throwIfAborted();
  return await (fs.runLarge?.({ kind: "copy", ...copy }, options) ?? copyHere(fs, copy, options));
}

/**
 * Hashes one file of any size between two equal stats. With `fresh` its bytes come from the medium where the system
 * allows; `medium` of the result says whether they did.
 * @throws {PipelineError} `copy/source-changed`, `copy/short-read`, or an `io/…` code.
 */
export async function hashFile(
  fs: FileSystem,
  path: string,
  options: PassOptions & { fresh?: boolean },
): Promise<LargeResult> {
  options.signal.throwIfAborted();
  const job = { kind: "hash", path, fresh: options.fresh ?? false } as const;
  return await (fs.runLarge?.(job, options) ?? hashHere(fs, path, options));
}

/**
 * Hashes files of any size: small ones in batches, then large ones one by one; one result a file, in order. A small file
 * that fails is a failure among the results; a large one throws.
 * @throws {PipelineError} as `hashFile`
 */
export async function hashFiles(
  fs: FileSystem,
  files: readonly { path: string; size: number }[],
  options: PassOptions & { fresh: boolean },
): Promise<SmallResult[]> {
  const results: SmallResult[] = [];
  const isSmall = (file: { size: number }) => file.size <= SMALL_FILE_BYTES;
  const small = await hashSmall(fs, files.filter(isSmall), options);
  let next = 0;
  for (const file of files) {
    results.push(isSmall(file) ? small[next++] : { ok: true, ...await hashFile(fs, file.path, options) });
  }
  return results;
}
