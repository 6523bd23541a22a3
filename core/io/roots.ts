/**
 * Are two roots really two (SAFETY S2)? Spelling does not tell: mounts, links and letter case give one folder many
 * names. Device and inode of every folder along the path do.
 * @module
 */
import type { FileStat, FileSystem } from "./file_system.ts";
import { isAbsent } from "./io_errors.ts";
import { contains, hostSystem, type PathSystem } from "./paths.ts";
import { exactInode } from "./same.ts";
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";

/** A root that is read or written, under the name the operator knows. */
export interface NamedRoot {
  id: string;
  path: string;
}

/** `inner` is `outer` itself or lies below it. */
export interface Nesting {
  outer: NamedRoot;
  inner: NamedRoot;
  same: boolean;
}

/**
 * The stat of a root. A root, unlike what lies in it, may itself be a link or a junction: what it leads to counts.
 * Undefined when nothing is there, also behind the link.
 */
export async function rootStat(fs: FileSystem, root: string): Promise<FileStat | undefined> {
  const stat = await fs.lstat(root);
  if (stat?.kind !== "symlink") return stat;
  try {
    return await fs.lstat(await fs.realPath(root));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

interface Chain {
  root: NamedRoot;
  /** Identity of the folder itself and of every folder above it that exists, nearest first; undefined: not known. */
  ids: (string | undefined)[];
  /** Names below the nearest existing folder, for a root that is not made yet. */
  missing: string[];
  real: string;
}

function idOf(stat: FileStat | undefined): string | undefined {
  if (stat === undefined || stat.dev === null || stat.ino === null) return undefined;
  // A rounded file id may be that of a neighbour; the birth time keeps them apart and one folder under two names one.
  const more = exactInode(stat) === null ? `:${stat.birthtimeMs}` : "";
  return `${stat.dev}:${stat.ino}${more}`;
}

async function chainOf(fs: FileSystem, root: NamedRoot, system: PathSystem): Promise<Chain> {
  const { basename, dirname, join, normalize } = system === "windows" ? windows : posix;
  const missing: string[] = [];
  let at = normalize(root.path);
  while (await fs.lstat(at) === undefined && dirname(at) !== at) {
    missing.unshift(basename(at));
    at = dirname(at);
  }
  const real = await fs.realPath(at);
  const ids: (string | undefined)[] = [];
  for (let folder = real;; folder = dirname(folder)) {
    ids.push(idOf(await fs.lstat(folder)));
    if (dirname(folder) === folder) break;
  }
  return { root, ids, missing, real: missing.length ? join(real, ...missing) : real };
}

const fold = (name: string) => name.normalize("NFC").toUpperCase();

/** Whether `inner` is inside `outer`; `same` when they are one folder. Undefined when they are apart. */
function relate(outer: Chain, inner: Chain, system: PathSystem): "same" | "inside" | undefined {
  if (contains(outer.real, inner.real, system)) {
    return contains(inner.real, outer.real, system) ? "same" : "inside";
  }
  const at = inner.ids.indexOf(outer.ids[0]);
  if (outer.ids[0] === undefined || at < 0) return undefined;
  if (outer.missing.length === 0) return at === 0 && inner.missing.length === 0 ? "same" : "inside";
  // A root not made yet: it begins at the same existing folder, so the names below decide.
  if (at > 0 || inner.missing.length < outer.missing.length) return undefined;
  if (!outer.missing.every((name, i) => fold(name) === fold(inner.missing[i]))) return undefined;
  return inner.missing.length === outer.missing.length ? "same" : "inside";
}

/** Pairs of roots of which one is, or contains, the other; empty when all are disjoint. Roots need not exist yet. */
export async function findNesting(
  fs: FileSystem,
  roots: readonly NamedRoot[],
  system: PathSystem = hostSystem,
): Promise<Nesting[]> {
  const chains: Chain[] = [];
  for (const root of roots) chains.push(await chainOf(fs, root, system));
  const found: Nesting[] = [];
  for (const [i, a] of chains.entries()) {
    for (const b of chains.slice(i + 1)) {
      const down = relate(a, b, system);
      const up = down ? undefined : relate(b, a, system);
      if (down) found.push({ outer: a.root, inner: b.root, same: down === "same" });
      if (up) found.push({ outer: b.root, inner: a.root, same: false });
    }
  }
  return found;
}
