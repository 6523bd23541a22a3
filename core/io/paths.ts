/**
 * Pure rules of paths: containment, the way from a `/`-separated path of an item to an OS path and back, byte order.
 * Every function takes the system it speaks for, so that both are tested on either.
 * @module
 */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import { PipelineError } from "../errors.ts";

export type PathSystem = "posix" | "windows";

/** The system this process runs on. */
export const hostSystem: PathSystem = Deno.build.os === "windows" ? "windows" : "posix";

const pathsOf = (system: PathSystem) => system === "windows" ? windows : posix;

/** How one path compares with another: Windows folds case. */
function comparable(path: string, system: PathSystem): string {
  const normal = pathsOf(system).normalize(path);
  return system === "windows" ? normal.replaceAll("/", "\\").toUpperCase().toLowerCase() : normal;
}

/** The same for every spelling of one absolute path, by the words alone: links are not followed. For keys, not for people. */
export function pathKey(path: string, system: PathSystem = hostSystem): string {
  const key = comparable(path, system);
  return key.endsWith(system === "windows" ? "\\" : "/") ? key.slice(0, -1) : key;
}

/** Whether `path` is `root` or lies below it, by their spelling alone. Both must be absolute, else it is false. */
export function contains(root: string, path: string, system: PathSystem = hostSystem): boolean {
  const { isAbsolute } = pathsOf(system);
  if (!isAbsolute(root) || !isAbsolute(path)) return false;
  const separator = system === "windows" ? "\\" : "/";
  const [outer, inner] = [comparable(root, system), comparable(path, system)];
  const prefix = outer.endsWith(separator) ? outer : outer + separator;
  return inner === outer || inner + separator === prefix || inner.startsWith(prefix);
}

function whyNotRelative(path: string, system: PathSystem): string | undefined {
  if (path === "") return "it is empty";
  if (path.includes("\0")) return "it holds a NUL character";
  if (path.startsWith("/")) return "it is absolute";
  for (const segment of path.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has the segment "${segment}"`;
    if (system === "windows" && /[\\:]/.test(segment)) return `the segment "${segment}" holds a separator or a colon`;
  }
  return undefined;
}

/**
 * Checks a `/`-separated path of an item and returns its segments.
 * @throws {PipelineError} `path/escapes` when it is empty, absolute, or has `..`, `.`, NUL or an empty segment; for
 * Windows also a backslash or a colon.
 */
export function itemSegments(relative: string, system: PathSystem = hostSystem): string[] {
  assertRelative(relative, system);
  return relative.split("/");
}

/** What `whyNotRelative` would object to, in one look: every file of a study is looked at many times. */
const SUSPECT = {
  posix: /\0|(?:^|\/)\.{0,2}(?:\/|$)/,
  windows: /[\0\\:]|(?:^|\/)\.{0,2}(?:\/|$)/,
};

function assertRelative(relative: string, system: PathSystem): void {
  if (!SUSPECT[system].test(relative)) return;
  const why = whyNotRelative(relative, system);
  if (why === undefined) return;
  throw new PipelineError(
    "path/escapes",
    `Cannot use "${relative}" as a path inside an item: ${why}, wanted a relative path with "/" between names`,
    { hint: "Nothing outside the item's own folder is read or written. Rename the entry or correct the option." },
  );
}

/**
 * The OS path of `relative` (`/`-separated) below `root`.
 * @throws {PipelineError} `path/escapes` as `itemSegments` does.
 */
export function itemPath(root: string, relative: string, system: PathSystem = hostSystem): string {
  assertRelative(relative, system);
  const separator = system === "windows" ? "\\" : "/";
  // Not `join`: it would normalise, and a normalised root is another spelling than the one that was checked.
  const below = system === "windows" ? relative.replaceAll("/", separator) : relative;
  return root.endsWith(separator) ? root + below : `${root}${separator}${below}`;
}

/** The folder part of a `/`-separated path of an item; empty for an entry of the item's root. */
export function parentOf(relative: string): string {
  const slash = relative.lastIndexOf("/");
  return slash < 0 ? "" : relative.slice(0, slash);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Orders two strings by their UTF-8 bytes, as `LC_ALL=C sort` does; negative, zero or positive. */
export function compareBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === end) return a.length - b.length;
  const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
  // UTF-16 puts surrogate pairs (U+10000 and up) before U+E000 to U+FFFF, bytes put them after.
  if (x >= 0xd800 && y >= 0xd800) return order(x) - order(y);
  return x - y;
}

const order = (unit: number) => unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;

/** Sorts strings in place by their UTF-8 bytes and returns them. */
export function sortBytes(names: string[]): string[] {
  return names.some((name) => SURROGATE.test(name)) ? names.sort(compareBytes) : names.sort();
}
