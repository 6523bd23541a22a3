/**
 * Which names can be carried (SAFETY S14): pure rules, checked before a byte is copied. Two names that a Windows
 * folder would take for one always fail, since every backup must be restorable there; a name that only Windows
 * refuses fails only when the target is Windows.
 * @module
 */
import type { Finding } from "../errors.ts";
import { PipelineError } from "../errors.ts";
import type { FileStat } from "./file_system.ts";
import { parentOf } from "./paths.ts";

/** What will hold the names. `root` is the OS path (or key prefix) the item's paths are appended to. */
export interface NameTarget {
  system: "windows" | "posix" | "s3";
  root?: string;
}

/** An entry to be checked: its path relative to the item, `/`-separated. */
export interface NamedEntry {
  path: string;
  kind: FileStat["kind"];
}

export const LOCK_NAME = ".labferry.lock";
export const PLACE_MARKER_NAME = ".labferry-place";
export const SIDECAR_NAME = "_checksums.sha256";
const TEMPORARY = /^\.labferry-tmp-[0-9a-f]{32}$/;

/** The name of the temporary file of a step, from 32 or more hex digits that identify it; beside its target. */
export function temporaryName(hex: string): string {
  if (!/^[0-9a-f]{32,}$/.test(hex)) throw new RangeError("temporaryName wants at least 32 hex digits");
  return `.labferry-tmp-${hex.slice(0, 32)}`;
}

/** Whether `temporaryName` made this name. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Whether a walk leaves this entry out: the lock at the item's root, and temporaries of unfinished steps anywhere. */
export function isOwnEntry(path: string): boolean {
  return path === LOCK_NAME || isTemporaryName(path.slice(path.lastIndexOf("/") + 1));
}

/** Whether a source may not use this name (in any letter case) because the engine does: `_checksums.sha256`, `.labferry*`. */
export function isReservedName(name: string): boolean {
  const folded = name.toLowerCase();
  return folded === SIDECAR_NAME || folded.startsWith(".labferry");
}

/** What the engine keeps beside the studies at a place, where no study may take its name. */
const BESIDE_STUDIES = new Set(["_claims", "_manifests", "_probe", ".cleanup.lock", ".ledger.lock"]);

/** Whether a study may not have this name (in any letter case), since the engine keeps something of its own under it. */
export function isReservedStudyName(name: string): boolean {
  return BESIDE_STUDIES.has(name.toLowerCase());
}

const utf8 = new TextEncoder();
const bytesOf = (text: string) => utf8.encode(text).length;

// One code unit to one code unit, as Windows file systems fold case: "ß" and "ss" stay two names.
function foldUnit(unit: string): string {
  const upper = unit.toUpperCase();
  const lower = (upper.length === unit.length ? upper : unit).toLowerCase();
  return lower.length === unit.length ? lower : unit;
}

/** Two names are one to some file system exactly when their keys are equal: NFC, letter case folded. */
export function collisionKey(name: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(name)) return name.toLowerCase();
  return Array.from(name.normalize("NFC"), foldUnit).join("").normalize("NFC");
}

const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|:|$)/i;
// deno-lint-ignore no-control-regex
const WINDOWS_FORBIDDEN = /[<>"/\\|?*\x00-\x1f]/;

const show = (character: string) =>
  character < " " ? `U+${character.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}` : character;

function whyNotOnWindows(name: string): [rule: string, message: string] | undefined {
  const forbidden = WINDOWS_FORBIDDEN.exec(name);
  if (forbidden) return ["names/character", `Windows forbids "${show(forbidden[0])}" in a name`];
  if (name.includes(":")) return ["names/stream", `":" names an alternate stream on Windows, not a file`];
  if (/[. ]$/.test(name)) return ["names/trailing", "Windows drops a trailing dot or space from a name"];
  if (DEVICE.test(name)) return ["names/device", "Windows takes this name for a device"];
  return undefined;
}

/** Limits: a name (bytes on POSIX, UTF-16 units on Windows) and the whole path, or the key in bytes on S3. */
const LIMITS = {
  posix: { name: 255, path: 4095, unit: "bytes", measure: bytesOf },
  windows: { name: 255, path: 32_766, unit: "UTF-16 units", measure: (text: string) => text.length },
  s3: { name: 1024, path: 1024, unit: "bytes", measure: bytesOf },
};

function tooLong(path: string, name: string, target: NameTarget): [rule: string, message: string] | undefined {
  const { measure, name: most, path: mostPath, unit } = LIMITS[target.system];
  if (measure(name) > most) return ["names/too-long", `the name has ${measure(name)} ${unit}, at most ${most} fit`];
  const root = target.root ?? "";
  const whole = measure(root) + (root === "" || /[\\/]$/.test(root) ? 0 : 1) + measure(path);
  if (whole <= mostPath) return undefined;
  return ["names/path-too-long", `the whole path has ${whole} ${unit}, at most ${mostPath} fit`];
}

/** Findings about one entry by itself; collisions need its siblings (`NameChecker`). */
export function checkName(entry: NamedEntry, target: NameTarget): Finding[] {
  const { path, kind } = entry;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const found: [rule: string, message: string][] = [];
  if (kind === "symlink") found.push(["names/link", "it is a symbolic link or junction; links are never followed"]);
  if (kind === "other") found.push(["names/special", "it is neither a file nor a folder"]);
  if (!name.isWellFormed() || name.includes("\ufffd")) {
    found.push(["names/not-text", "the name is not valid text: two such names read as one"]);
  }
  if (isReservedName(name)) found.push(["names/reserved", "the name is reserved for labferry"]);
  if (target.system === "windows") found.push(...[whyNotOnWindows(name)].filter((why) => why !== undefined));
  found.push(...[tooLong(path, name, target)].filter((why) => why !== undefined));
  return found.map(([rule, message]) => ({ rule, severity: "error", path, message }));
}

/** Folders with more names than this are remembered by hashes of their names alone. */
const NAMES_IN_FULL = 20_000;

/** The names seen in one folder, by collision key; flat in memory for folders of millions. */
class SeenNames {
  #names: Map<string, string> | undefined = new Map();
  #hashes: Set<number> | undefined;

  /** Adds a name; gives the earlier one it collides with, or "" when that one is known by its hash alone. */
  add(name: string): string | undefined {
    const key = collisionKey(name);
    if (this.#hashes) return this.#addHash(key);
    const other = this.#names?.get(key);
    if (other !== undefined) return other;
    this.#names?.set(key, name);
    if (this.#names && this.#names.size > NAMES_IN_FULL) {
      this.#hashes = new Set(this.#names.keys().map(hashOf));
      this.#names = undefined;
    }
    return undefined;
  }

  #addHash(key: string): string | undefined {
    const hash = hashOf(key);
    if (this.#hashes?.has(hash)) return "";
    this.#hashes?.add(hash);
    return undefined;
  }
}

/** 52 bits of two mixed FNV-like hashes: among a million names a false collision has a chance of one in ten thousand. */
function hashOf(key: string): number {
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (b >>> 15) ^ unit, 0x85ebca6b);
  }
  a ^= a >>> 13;
  b ^= b >>> 16;
  return (a >>> 0) * 2 ** 20 + (b >>> 12);
}

interface Frame {
  folder: string;
  names: SeenNames;
}

/** Checks entries as a walk yields them; holds the names of the folders on the current path and no more. */
export class NameChecker {
  readonly #target: NameTarget;
  readonly #ours: (path: string) => boolean;
  #frames: Frame[] = [];

  /** `ours` says which reserved names are proved to be the engine's own (for example a sidecar of this backup). */
  constructor(target: NameTarget, options: { ours?: (path: string) => boolean } = {}) {
    this.#target = target;
    this.#ours = options.ours ?? (() => false);
  }

  /** Findings about the next entry, which must come in the order of `walkTree`. */
  check(entry: NamedEntry): Finding[] {
    const found = checkName(entry, this.#target)
      .filter((finding) => finding.rule !== "names/reserved" || !this.#ours(entry.path));
    const names = this.#namesOf(parentOf(entry.path));
    const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
    const other = names.add(name);
    if (other !== undefined) {
      const which = other === "" ? "another name in this folder" : `"${other}"`;
      const message = `it differs from ${which} only in letter case or in the form of its accents`;
      found.push({ rule: "names/collision", severity: "error", path: entry.path, message });
    }
    return found;
  }

  #namesOf(folder: string): SeenNames {
    while (this.#frames.length > 0) {
      const top = this.#frames[this.#frames.length - 1];
      if (top.folder === folder) return top.names;
      if (top.folder === "" || folder.startsWith(top.folder + "/")) break;
      this.#frames.pop();
    }
    const names = new SeenNames();
    this.#frames.push({ folder, names });
    return names;
  }
}

/** The error of an item whose names cannot be carried; lists at most ten of them in words, all as findings. */
export function namesError(item: string, findings: readonly Finding[]): PipelineError {
  const shown = findings.slice(0, 10).map(({ path, message }) => `${JSON.stringify(path)}: ${message}`);
  const more = findings.length > shown.length ? [`and ${findings.length - shown.length} more`] : [];
  const names = findings.length === 1 ? "1 name" : `${findings.length} names`;
  return new PipelineError(
    "item/names",
    `Cannot back up "${item}": ${names} cannot be carried safely (${[...shown, ...more].join("; ")})`,
    { findings, hint: "Rename these entries at the source; nothing of this item has been written." },
  );
}
