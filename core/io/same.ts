/**
 * Comparing stats, and the words for what differs.
 * @module
 */
import { KIND_WORDS } from "./file_system.ts";
import { PipelineError } from "../errors.ts";
import type { FileStat } from "./file_system.ts";

const iso = (ms: number | null) => ms === null ? "unknown" : new Date(ms).toISOString();

/** A stat in words: size, mtime, ctime and inode. */
export function describeStat(stat: FileStat): string {
  const { kind, size, mtimeMs, ctimeMs, ino } = stat;
  return `${kind} of ${size} bytes, mtime ${iso(mtimeMs)}, ctime ${iso(ctimeMs)}, inode ${ino ?? "unknown"}`;
}

/** Whether two parts of a stat differ. One that a system does not give, for an open file or at all, differs from none. */
const differ = (a: number | null, b: number | null) => a !== null && b !== null && a !== b;

/** Whether two stats show the same file unchanged (SAFETY S6): device, inode, size, mtime, ctime, kind. */
export function sameFile(a: FileStat, b: FileStat): boolean {
  return isSameFile(a, b) && a.size === b.size && !differ(a.mtimeMs, b.mtimeMs) && !differ(a.ctimeMs, b.ctimeMs);
}

/**
 * Whether the stat of an open file and that of a path are of one file, changed or not (SAFETY S10, S15): by device and
 * inode where both have them. Where an open file or a share gives none, size, mtime and birth time tell files apart; the
 * birth time alone does not, since Windows gives a file made anew under an old name the old one for 15 s.
 */
export function isSameFile(held: FileStat, named: FileStat): boolean {
  if (held.kind !== named.kind) return false;
  if (held.ino && named.ino) return held.ino === named.ino && !differ(held.dev, named.dev);
  return held.size === named.size && held.mtimeMs === named.mtimeMs && held.birthtimeMs === named.birthtimeMs;
}

/**
 * The inode when it tells one file from all others of its device, else null. File ids of Windows have 64 bits, and the
 * runtime rounds those from 2^53 on (measured): equal ones may then be of two files.
 */
export function exactInode(stat: Pick<FileStat, "ino"> | undefined): number | null {
  return stat?.ino && Number.isSafeInteger(stat.ino) ? stat.ino : null;
}

/** The error of a file that changed while it was read. */
export function sourceChanged(path: string, before: FileStat, after: FileStat | undefined): PipelineError {
  const now = after === undefined ? "nothing is there" : describeStat(after);
  return new PipelineError(
    "copy/source-changed",
    `Cannot copy "${path}": it changed while it was read; before: ${describeStat(before)}; after: ${now}`,
    {
      retry: "transient",
      hint: "Something still writes to it. Wait until the acquisition is over, or raise settle_minutes.",
    },
  );
}

/** The error of a read that ended before, or went past, the size the system gave. */
export function shortRead(path: string, got: number, size: number): PipelineError {
  return new PipelineError("copy/short-read", `Cannot copy "${path}": read ${got} bytes, wanted ${size}`, {
    retry: "transient",
    hint: "The disk gave fewer or more bytes than the file has. If it happens again, look at the health of the disk.",
  });
}

/** The error of a final name that other bytes stand under. */
export function conflict(from: string, to: string, found: string): PipelineError {
  return new PipelineError(
    "copy/conflict",
    `Cannot copy "${from}" to "${to}": ${found}, wanted no file or the same bytes`,
    {
      hint: "Nothing is ever replaced. Find out what stands there; move it away if it is not needed.",
    },
  );
}

/** The error of something that is not a plain file. */
export function notAFile(verb: string, path: string, stat: FileStat | undefined): PipelineError {
  if (stat === undefined) {
    return new PipelineError("io/gone", `Cannot ${verb} "${path}": nothing is there`, {
      hint: "It was moved, renamed or deleted, or the share is not mounted. Look for it, then run again.",
    });
  }
  return new PipelineError(
    "copy/not-a-file",
    `Cannot ${verb} "${path}": it is ${KIND_WORDS[stat.kind]}, wanted a file`,
    {
      hint: "Nothing was replaced. Find out what stands there; move it away if it is not needed.",
    },
  );
}
