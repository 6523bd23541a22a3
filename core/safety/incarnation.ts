/**
 * Incarnations (SAFETY S3): this folder, with this identity, under this name. Evidence never crosses incarnations, and
 * a name that was completed once never silently takes other content.
 * @module
 */
import { createHash } from "node:crypto";
import type { ChangeIdentity, Evidence } from "../evidence.ts";
import type { FileStat } from "../io/file_system.ts";
import { exactInode } from "../io/same.ts";

/**
 * Returns the incarnation of a folder: 32 hex digits over the root's marker, the folder's own id and birth time, and
 * its name. The device number is left out because it changes over a restart of the host; the marker stands for it.
 */
export function incarnationOf(rootUuid: string, folder: Pick<FileStat, "ino" | "birthtimeMs">, name: string): string {
  const parts = [rootUuid, folder.ino ?? "-", folder.birthtimeMs ?? "-", name];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}

/** How close (ms) a change may lie to the hash and still be invisible: ctime comes in whole seconds (SAFETY S6). */
export const BLIND_MS = 2000;

/** Whether two change identities are the same in every part that both systems give. */
export function sameIdentity(a: ChangeIdentity, b: ChangeIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** As `sameIdentity`, but for the number of the device, which another start of the host may change. */
export function sameButDevice(a: ChangeIdentity, b: ChangeIdentity): boolean {
  return sameIdentity({ ...a, dev: null }, { ...b, dev: null });
}

/**
 * SAFETY S2: survivor and victim never share device and inode. A rounded file id (Windows) may be that of a neighbour:
 * then two files are told apart by their birth times, and count as one where a birth time is not known.
 */
export function sameInode(a: Named, b: Named): boolean {
  if (a.ino === null || a.ino === 0 || a.dev === null || a.ino !== b.ino || a.dev !== b.dev) return false;
  if (exactInode(a) !== null) return true;
  const known = typeof a.birthtimeMs === "number" && typeof b.birthtimeMs === "number";
  return !known || a.birthtimeMs === b.birthtimeMs;
}

type Named = Pick<ChangeIdentity, "dev" | "ino"> & Partial<Pick<FileStat, "birthtimeMs">>;

/** Keeps the parts of a stat that make its change identity. */
export function identityOf(stat: ChangeIdentity): ChangeIdentity {
  return { dev: stat.dev, ino: stat.ino, size: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs };
}

/**
 * Whether an unchanged identity is enough to say that the bytes are those that were hashed. It is not when a part is
 * missing, or when the entry changed so shortly before the hash that a second change could hide. `skewMs`: how far the
 * clock that stamps the file may be off the one that stamped the hash.
 */
export function identitySuffices(evidence: Pick<Evidence, "identity" | "at">, skewMs = 0): boolean {
  const identity = evidence.identity;
  if (!identity || identity.ino === null || identity.dev === null) return false;
  if (identity.mtimeMs === null || identity.ctimeMs === null) return false;
  return blindFor(identity, { at: Date.parse(evidence.at), skewMs }) === 0;
}

/**
 * How long (ms) after `at` a change could still hide behind the last one; 0 where none can any more, or where the system
 * gives no change time to wait for.
 */
export function blindFor({ ctimeMs }: Pick<ChangeIdentity, "ctimeMs">, { at, skewMs = 0 }: Moment): number {
  if (!Number.isFinite(at)) return Infinity;
  return ctimeMs === null ? 0 : Math.max(0, ctimeMs + BLIND_MS + skewMs - at + 1);
}

/** `at`: ms since 1970. */
interface Moment {
  at: number;
  skewMs?: number;
}

/** An identity in words, for messages that name both. */
export function describeIdentity(identity: ChangeIdentity | undefined): string {
  if (!identity) return "not there";
  const time = (ms: number | null) => ms === null ? "unknown" : new Date(ms).toISOString();
  return `${identity.size} bytes, modified ${time(identity.mtimeMs)}, changed ${time(identity.ctimeMs)}, inode ${
    identity.ino ?? "unknown"
  }`;
}
