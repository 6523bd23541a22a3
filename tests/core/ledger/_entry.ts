import type { LedgerEntry } from "../../../core/ledger/record.ts";

/** A complete, well-proved entry; override what the test is about. */
export function entry(name: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    backup_name: name,
    run_name: name,
    source_path: `/data/${name}`,
    truenas_path: `/mnt/nas/${name}`,
    s3_uri: `s3://archive/lab/${name}`,
    file_count: 3,
    total_bytes: 3 * 2 ** 20,
    started_at: "2026-03-01T02:00:00.000Z",
    truenas_verified_at: "2026-03-01T02:10:00.000Z",
    s3_verified_at: "2026-03-01T02:20:00.000Z",
    completed_at: "2026-03-01T02:21:00.000Z",
    source_deleting_at: null,
    source_deleted_at: null,
    truenas_evicting_at: null,
    truenas_evicted_at: null,
    status: "complete",
    places: {
      truenas: { uri: `/mnt/nas/${name}`, verified_at: "2026-03-01T02:10:00.000Z", guarantee: "read-back" },
      s3: { uri: `s3://archive/lab/${name}`, verified_at: "2026-03-01T02:20:00.000Z", guarantee: "server-checksum" },
    },
    sidecar_sha256: "5e".repeat(32),
    incarnation: `inc-${name}`,
    host: "scope-1",
    ...more,
  };
}

export function started(name: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return entry(name, { status: "in_progress", completed_at: null, sidecar_sha256: null, places: {}, ...more });
}
