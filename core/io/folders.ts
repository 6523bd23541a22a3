/**
 * Makes the folders a file needs, one component at a time, never through a link.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { Durability, FileSystem } from "./file_system.ts";
import { errnoOf, ioError } from "./io_errors.ts";
import { itemPath, itemSegments } from "./paths.ts";

export interface MakeFoldersOptions {
  durability: Durability;
  /** Folders known to stand, as paths relative to the root; those made or seen are added. */
  known?: Set<string>;
}

/** More remembered folders than this are forgotten: looking again costs little, memory is bounded. */
const REMEMBERED = 4096;

async function makeOne(fs: FileSystem, path: string): Promise<void> {
  try {
    if (await fs.mkdir(path)) return;
  } catch (cause) {
    if (errnoOf(cause) !== "EEXIST") throw ioError(cause, { verb: "make the folder", path });
  }
  const stat = await fs.lstat(path);
  if (stat?.kind === "directory") return;
  const found = stat?.kind === "symlink" ? "a link is there" : `a ${stat?.kind ?? "vanished entry"} is there`;
  throw new PipelineError("copy/conflict", `Cannot make the folder "${path}": ${found}, wanted a folder or nothing`, {
    hint: "Nothing is ever replaced. Find out what stands there; move it away if it is not needed.",
  });
}

/**
 * Makes the folders of `relative` (`/`-separated, empty for none) below `root`, which must stand. With
 * `durability: "flushed"` each new name is on the medium when this returns.
 * @throws {PipelineError} `copy/conflict` when something that is no folder (a link too) is in the way,
 * `path/escapes`, or an `io/…` code.
 */
export async function makeFolders(
  fs: FileSystem,
  where: { root: string; relative: string },
  options: MakeFoldersOptions,
): Promise<void> {
  const { root, relative } = where;
  const { known, durability } = options;
  if (relative === "" || known?.has(relative)) return;
  let at = "";
  for (const segment of itemSegments(relative)) {
    const parent = at === "" ? root : itemPath(root, at);
    at = at === "" ? segment : `${at}/${segment}`;
    if (known?.has(at)) continue;
    await makeOne(fs, itemPath(root, at));
    // A folder found may have been made by an attempt that died before its flush.
    if (durability === "flushed") await fs.syncDir(parent);
    if (known && known.size >= REMEMBERED) known.clear();
    known?.add(at);
  }
}
