/**
 * The ledger's record: one JSON object a line in `<manifest_root>/YYYY-MM.jsonl` (DESIGN 5). Others read these files.
 * @module
 */
import type { Guarantee } from "../evidence.ts";

export const LEDGER_STATUSES = [
  "in_progress",
  "complete",
  "failed_validation",
  "failed_truenas",
  "failed_s3",
  "failed",
] as const;

export type LedgerStatus = typeof LEDGER_STATUSES[number];

/** Where a backup is and how strongly it was proved there: the weakest guarantee of its files. */
export interface LedgerPlace {
  uri: string;
  verified_at: string | null;
  guarantee: Guarantee;
}

/** Times are ISO 8601 UTC or null; `prev` is the hex SHA-256 of the line before. */
export interface LedgerRecord {
  backup_name: string;
  run_name: string;
  source_path: string;
  truenas_path: string | null;
  s3_uri: string | null;
  file_count: number;
  total_bytes: number;
  started_at: string;
  truenas_verified_at: string | null;
  s3_verified_at: string | null;
  completed_at: string | null;
  source_deleting_at: string | null;
  source_deleted_at: string | null;
  truenas_evicting_at: string | null;
  truenas_evicted_at: string | null;
  status: LedgerStatus;
  error?: string;
  places: Record<string, LedgerPlace>;
  sidecar_sha256: string | null;
  incarnation: string;
  host: string;
  prev: string;
}

/** A record before it is chained to the ledger. */
export type LedgerEntry = Omit<LedgerRecord, "prev">;

/** A line that could not be read. */
export interface TornLine {
  file: string;
  line: number;
  reason: string;
}

/** The ledger port. Appends hold the ledger's lock, flush, and read the line back. */
export interface Ledger {
  readonly root: string;
  /** The latest record of a backup over all months; undefined when it has none. Reads the files anew. */
  latest(backupName: string): Promise<LedgerRecord | undefined>;
  append(entry: LedgerEntry): Promise<LedgerRecord>;
  /** Makes a record durable that another process wrote, and may have died before it flushed it. */
  flush(record: LedgerRecord): Promise<void>;
}
