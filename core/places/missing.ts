/** Which files of an item a place does not hold yet: evidence saves work where source and place still show it. @module */
import type { SourceFile } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { sameIdentity } from "../safety/incarnation.ts";
import type { ItemScope } from "./place.ts";

/** Files looked up in the journal, and looked at on the disk, at a time. */
const FILES_AT_ONCE = 256;

export interface MissingOptions {
  place: string;
  placeUuid: string;
  /** Whether the place still shows what its evidence says; only asked when the source does. */
  stands(file: SourceFile, here: Evidence | undefined): Promise<boolean>;
  onHeld(file: SourceFile): void;
}

/** Yields, in order, the files that must be written. Holds one page of them. */
export async function* missingFiles(
  fs: FileSystem,
  scope: ItemScope,
  files: AsyncIterable<SourceFile>,
  options: MissingOptions,
): AsyncIterable<SourceFile> {
  let page: SourceFile[] = [];
  for await (const file of files) {
    page.push(file);
    if (page.length < FILES_AT_ONCE) continue;
    yield* missingOf(fs, scope, page, options);
    page = [];
  }
  yield* missingOf(fs, scope, page, options);
}

async function* missingOf(
  fs: FileSystem,
  scope: ItemScope,
  page: readonly SourceFile[],
  options: MissingOptions,
): AsyncIterable<SourceFile> {
  const { evidence, item } = scope;
  const paths = page.map((file) => file.path);
  const here = await evidence.getMany(item.id, options.place, paths);
  const source = here.size === 0 ? new Map<string, Evidence>() : await evidence.getMany(item.id, SOURCE_PLACE, paths);
  const held = await Promise.all(page.map(async (file) => {
    if (scope.force) return false;
    if (file.emptyFolder) return await options.stands(file, undefined);
    const proof = here.get(file.path), hashed = source.get(file.path);
    if (!proof || proof.placeUuid !== options.placeUuid) return false;
    if (!hashed?.identity || hashed.sha256 !== proof.sha256) return false;
    const stat = await fs.lstat(itemPath(item.root, file.path));
    return stat !== undefined && sameIdentity(stat, hashed.identity) && await options.stands(file, proof);
  }));
  for (const [index, file] of page.entries()) {
    if (held[index]) options.onHeld(file);
    else yield file;
  }
}
