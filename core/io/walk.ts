/**
 * Walks a tree in byte order of the whole paths, one folder's names in memory at a time.
 * @module
 */
import { KIND_WORDS } from "./file_system.ts";
import type { TreeEntry } from "../ports.ts";
import type { DirEntry, FileStat, FileSystem } from "./file_system.ts";
import { ioError } from "./io_errors.ts";
import { isOwnEntry } from "./names.ts";
import { PipelineError } from "../errors.ts";
import { itemPath, sortBytes } from "./paths.ts";

/** How many entries are asked for their stat at once. */
const STATS_AT_ONCE = 512;
/** Fewer stats than this are not split between threads. */
const SMALLEST_SHARE = 64;

export interface WalkOptions {
  signal?: AbortSignal;
  /** Entries deeper than this many segments are not listed. Default: no limit. */
  depth?: number;
  /** Leaves an entry, and what is below it, out. Default: the engine's own lock and temporaries. */
  leaveOut?: (path: string) => boolean;
}

/** An entry without its stat: what a naming standard needs. */
export interface NamedTreeEntry {
  path: string;
  kind: DirEntry["kind"];
}

/**
 * One folder's entries in order, one string each, so that a folder of a million files fits: a plain file is its name
 * itself, a folder ends in `/` (which sorts it as the paths below it begin), anything else in NUL and its kind.
 */
async function sortedNames(fs: FileSystem, folder: string): Promise<string[]> {
  const entries = await fs.readDir(folder).catch((cause) => {
    throw ioError(cause, { verb: "list", path: folder });
  });
  return sortBytes(entries.map(pack));
}

function pack({ name, kind }: DirEntry): string {
  if (kind === "file") return name;
  return kind === "directory" ? `${name}/` : `${name}\0${kind}`;
}

function unpack(packed: string): DirEntry {
  if (packed.endsWith("/")) return { name: packed.slice(0, -1), kind: "directory" };
  const end = packed.indexOf("\0");
  if (end < 0) return { name: packed, kind: "file" };
  return { name: packed.slice(0, end), kind: packed.slice(end + 1) as DirEntry["kind"] };
}

async function* walk(
  fs: FileSystem,
  root: string,
  options: WalkOptions & { below: string; level: number },
): AsyncGenerator<NamedTreeEntry[]> {
  const { below, level, signal, leaveOut = isOwnEntry, depth = Infinity } = options;
  const folder = below === "" ? root : itemPath(root, below);
  let run: NamedTreeEntry[] = [];
  for (const packed of await sortedNames(fs, folder)) {
    signal?.throwIfAborted();
    const { name, kind } = unpack(packed);
    const path = below === "" ? name : `${below}/${name}`;
    if (leaveOut(path)) continue;
    run.push({ path, kind });
    const enters = kind === "directory" && level < depth;
    if (enters || run.length >= STATS_AT_ONCE) {
      yield run;
      run = [];
    }
    if (enters) yield* walk(fs, root, { ...options, below: path, level: level + 1 });
  }
  if (run.length > 0) yield run;
}

/** A link in the root's own place would be followed by the listing. */
async function expectFolder(fs: FileSystem, root: string): Promise<void> {
  const stat = await fs.lstat(root).catch((cause) => {
    throw ioError(cause, { verb: "list", path: root });
  });
  if (stat?.kind === "directory") return;
  const found = stat === undefined
    ? "nothing is there"
    : stat.kind === "symlink"
    ? "it is a link"
    : `it is ${KIND_WORDS[stat.kind]}`;
  throw new PipelineError("walk/no-folder", `Cannot list "${root}": ${found}, wanted a folder`, {
    hint: "It was moved or replaced, or the share is not mounted. Look for it, then run again.",
  });
}

/**
 * Names and kinds below `root`, without asking for stats. Order and omissions are those of `walkTree`.
 * @throws {PipelineError} an `io/…` code when a folder cannot be read.
 */
export async function* walkNames(
  fs: FileSystem,
  root: string,
  options: WalkOptions = {},
): AsyncGenerator<NamedTreeEntry> {
  await expectFolder(fs, root);
  for await (const run of walk(fs, root, { ...options, below: "", level: 1 })) yield* run;
}

/**
 * All entries below `root` in byte order (UTF-8) of their whole paths, a folder before what it holds and ordered as if
 * its path ended in `/`. Links are reported and never followed; the engine's own lock and temporaries are left out.
 * An entry that vanishes or changes its kind while it is walked is an error: the tree is not settled.
 * @throws {PipelineError} `walk/changed`, or an `io/…` code when a folder cannot be read.
 */
export async function* walkTree(
  fs: FileSystem,
  root: string,
  options: WalkOptions = {},
): AsyncGenerator<TreeEntry> {
  const signal = options.signal ?? new AbortController().signal;
  await expectFolder(fs, root);
  for await (const run of walk(fs, root, { ...options, below: "", level: 1 })) {
    const stats = await statsOf(fs, root, run, signal);
    for (const [i, entry] of run.entries()) yield treeEntry(root, entry, stats[i]);
  }
}

async function statsOf(
  fs: FileSystem,
  root: string,
  run: readonly NamedTreeEntry[],
  signal: AbortSignal,
): Promise<(FileStat | undefined)[]> {
  const parent = run[0].path.slice(0, run[0].path.lastIndexOf("/") + 1);
  const folder = parent === "" ? root : itemPath(root, parent.slice(0, -1));
  const names = run.map((entry) => entry.path.slice(parent.length));
  const share = Math.max(SMALLEST_SHARE, Math.ceil(names.length / fs.smallParallel));
  const jobs: Promise<(FileStat | undefined)[]>[] = [];
  for (let at = 0; at < names.length; at += share) {
    const job = { kind: "stat", folder, names: names.slice(at, at + share) } as const;
    jobs.push(fs.runSmall(job, signal).then((result) => result.stats ?? []));
  }
  const stats = await Promise.all(jobs).catch((cause) => {
    throw ioError(cause, { verb: "look at", path: folder });
  });
  return stats.flat();
}

function treeEntry(root: string, entry: NamedTreeEntry, stat: FileStat | undefined): TreeEntry {
  if (stat === undefined && entry.path.includes("\ufffd")) {
    // The system's name is no valid text and was read as another; the check of names reports it.
    return { ...entry, size: 0, mtimeMs: null, ctimeMs: null, birthtimeMs: null };
  }
  if (stat === undefined || stat.kind !== entry.kind) {
    const now = stat === undefined ? "gone" : `a ${stat.kind}`;
    throw new PipelineError(
      "walk/changed",
      `Cannot list "${itemPath(root, entry.path)}": it was a ${entry.kind} and is now ${now}`,
      {
        retry: "transient",
        hint: "Something writes to this folder while it is read. It is taken up again when it is settled.",
      },
    );
  }
  const { kind, size, mtimeMs, ctimeMs, birthtimeMs } = stat;
  return { path: entry.path, kind, size, mtimeMs, ctimeMs, birthtimeMs };
}
