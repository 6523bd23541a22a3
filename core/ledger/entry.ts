/**
 * Makes the ledger's entries from evidence: what a record says of files, bytes and places is never taken from a stage.
 * @module
 */
import type { Guarantee } from "../evidence.ts";
import type { LedgerEntry, LedgerPlace, LedgerRecord, LedgerStatus } from "./record.ts";

/** What is known of the item at one place. */
export interface PlaceState {
  id: string;
  kind: "directory" | "objects";
  uri: string;
  verifiedAt: string | null;
  guarantee: Guarantee;
}

export interface EntryFacts {
  name: string;
  sourcePath: string;
  incarnation: string;
  host: string;
  status: LedgerStatus;
  startedAt: string;
  completedAt: string | null;
  files: number;
  bytes: number;
  places: readonly PlaceState[];
  sidecarSha256: string | null;
  error?: string;
}

/** Returns the entry for these facts. `truenas_*` speaks of the first folder place, `s3_*` of the first bucket. */
export function ledgerEntry(facts: EntryFacts): LedgerEntry {
  const folder = facts.places.find((place) => place.kind === "directory");
  const bucket = facts.places.find((place) => place.kind === "objects");
  const places: Record<string, LedgerPlace> = {};
  for (const place of facts.places) {
    places[place.id] = { uri: place.uri, verified_at: place.verifiedAt, guarantee: place.guarantee };
  }
  return {
    backup_name: facts.name,
    run_name: facts.name,
    source_path: facts.sourcePath,
    truenas_path: folder?.uri ?? null,
    s3_uri: bucket?.uri ?? null,
    file_count: facts.files,
    total_bytes: facts.bytes,
    started_at: facts.startedAt,
    truenas_verified_at: folder?.verifiedAt ?? null,
    s3_verified_at: bucket?.verifiedAt ?? null,
    completed_at: facts.completedAt,
    source_deleting_at: null,
    source_deleted_at: null,
    truenas_evicting_at: null,
    truenas_evicted_at: null,
    status: facts.status,
    ...(facts.error === undefined ? {} : { error: facts.error }),
    places,
    sidecar_sha256: facts.sidecarSha256,
    incarnation: facts.incarnation,
    host: facts.host,
  };
}

/** Returns the record as an entry again, with some fields changed; the chain link is left out. */
export function follow(record: LedgerRecord, changes: Partial<LedgerEntry>): LedgerEntry {
  const { prev: _prev, ...entry } = record;
  return { ...entry, ...changes };
}
