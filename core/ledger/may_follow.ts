/**
 * Which record may follow which (SAFETY S4): nothing recorded after `complete` weakens or shrinks it.
 * @module
 */
import { strengthOf } from "../evidence.ts";
import type { LedgerEntry, LedgerRecord } from "./record.ts";

export type FollowVerdict = { ok: true } | { ok: false; why: string };

const ALLOWED: FollowVerdict = { ok: true };
const refuse = (why: string): FollowVerdict => ({ ok: false, why });

/** The two destroys a record can tell of, each with the fields of its begin and end. */
const DESTROYS = [
  { begun: "source_deleting_at", ended: "source_deleted_at" },
  { begun: "truenas_evicting_at", ended: "truenas_evicted_at" },
] as const;
type Destroy = typeof DESTROYS[number];

/**
 * Judges an entry against the latest record of the same backup. After `complete` only these may follow: the begin or end
 * of a destroy, a withdrawn begin with all else unchanged, and a new `complete` that proves no less, of the same
 * incarnation or of another that has the same bytes: a study that was put back.
 */
export function mayFollow(previous: LedgerRecord | undefined, next: LedgerEntry): FollowVerdict {
  if (previous === undefined || previous.status !== "complete") return firstDestroyOf(next);
  if (next.status !== "complete") return refuse(`"${next.status}" would hide a complete backup`);
  if (next.incarnation !== previous.incarnation && !putBack(previous, next)) {
    return refuse("it is complete with another content under this name");
  }
  if (next.file_count < previous.file_count || next.total_bytes < previous.total_bytes) {
    return refuse(`it has ${next.file_count} files and ${next.total_bytes} bytes, fewer than before`);
  }
  if (previous.sidecar_sha256 !== null && next.sidecar_sha256 === null) return refuse("it has lost its sidecar");
  return [destroysFollow(previous, next), placesFollow(previous, next)].find((verdict) => !verdict.ok) ?? ALLOWED;
}

/** The sidecar names every file with its hash, so equal sidecars mean equal studies; no destroy may be under way. */
function putBack(previous: LedgerRecord, next: LedgerEntry): boolean {
  if (next.sidecar_sha256 === null || next.sidecar_sha256 !== previous.sidecar_sha256) return false;
  return DESTROYS.every((destroy) => !isOpen(previous, destroy) && !isOpen(next, destroy));
}

/** Only a complete backup is destroyed anywhere, and its end needs a begin that was recorded before. */
function firstDestroyOf(next: LedgerEntry): FollowVerdict {
  const claims = DESTROYS.some(({ begun, ended }) => next[begun] !== null || next[ended] !== null);
  return claims ? refuse("it tells of a deletion, and no complete record stands before it") : ALLOWED;
}

const isOpen = (record: LedgerEntry, { begun, ended }: Destroy) => record[begun] !== null && record[ended] === null;

function destroysFollow(previous: LedgerRecord, next: LedgerEntry): FollowVerdict {
  for (const destroy of DESTROYS) {
    const { begun, ended } = destroy;
    if (next[ended] !== null && next[ended] !== previous[ended] && previous[begun] !== next[begun]) {
      return refuse(`"${ended}" has no "${begun}" before it`);
    }
    if (previous[ended] !== null && next[ended] === null && !restored(previous, next, destroy)) {
      return refuse(`"${ended}" would be forgotten`);
    }
    const opens = isOpen(next, destroy) && !isOpen(previous, destroy);
    if (opens && DESTROYS.some((other) => other !== destroy && isOpen(previous, other))) {
      return refuse(`"${begun}" would begin while another place of this backup is being freed`);
    }
    // A writer that did not know of the begin must not erase it: withdrawing changes nothing else.
    const withdraws = isOpen(previous, destroy) && next[begun] !== previous[begun];
    if (withdraws && (next[begun] !== null || !sameBut(previous, next, begun))) {
      return refuse(`"${begun}" is open and would be forgotten`);
    }
  }
  return ALLOWED;
}

/** A place that was freed and filled again: proved there after the end. A source comes back as another incarnation. */
function restored(previous: LedgerRecord, next: LedgerEntry, { ended }: Destroy): boolean {
  if (ended === "source_deleted_at") return next.incarnation !== previous.incarnation;
  const freed = Date.parse(previous[ended] ?? "");
  return next.truenas_verified_at !== null && Date.parse(next.truenas_verified_at) > freed;
}

function placesFollow(previous: LedgerRecord, next: LedgerEntry): FollowVerdict {
  for (const [id, before] of Object.entries(previous.places)) {
    const after = Object.hasOwn(next.places, id) ? next.places[id] : undefined;
    const freed = next.truenas_evicted_at !== null && before.uri === previous.truenas_path;
    if (after === undefined) {
      if (freed) continue;
      return refuse(`it has lost the place "${id}"`);
    }
    if (rank(after.guarantee) < rank(before.guarantee) || (before.verified_at !== null && after.verified_at === null)) {
      return refuse(`the place "${id}" is proved less strongly (${after.guarantee}, before ${before.guarantee})`);
    }
  }
  return ALLOWED;
}

const rank = (guarantee: LedgerRecord["places"][string]["guarantee"]) =>
  ["none", "weak", "strong"].indexOf(strengthOf(guarantee));

function sameBut(previous: LedgerRecord, next: LedgerEntry, field: Destroy["begun"]): boolean {
  const { prev: _prev, [field]: _before, ...before } = previous;
  const { [field]: _after, ...after } = next as LedgerEntry & { prev?: string };
  delete after.prev;
  return canonical(before) === canonical(after);
}

/** JSON with the keys sorted at every level. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner) =>
      inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
        : inner,
  );
}
