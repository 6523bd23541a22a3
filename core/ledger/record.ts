/**
 * The ledger's record: one JSON object a line in `<manifest_root>/YYYY-MM.jsonl` (DESIGN 5). Others read these files.
 * @module
 */
import type { Guarantee } from "../evidence.ts";

/** What a line says of the backup. */
export type LedgerStatus =
  | "in_progress"
  | "complete"
  | "failed_validation"
  | "failed_truenas"
  | "failed_s3"
  | "failed";

export const LEDGER_STATUSES: readonly LedgerStatus[] = [
  "in_progress",
  "complete",
  "failed_validation",
  "failed_truenas",
  "failed_s3",
  "failed",
];

/** Where a backup is and how strongly it was proved there: the weakest guarantee of its files. */
export interface LedgerPlace {
  /** An OS path, or `s3://bucket/prefix/name`. */
  uri: string;
  /** When the last file was proved; null unless all are. */
  verified_at: string | null;
  /** The weakest of its files. */
  guarantee: Guarantee;
}

/** Times are ISO 8601 UTC or null; `prev` is the hex SHA-256 of the line before. */
export interface LedgerRecord {
  /** Name of the backup: that of the study's folder. */
  backup_name: string;
  /** The same. */
  run_name: string;
  /** OS path of the study when it was backed up. */
  source_path: string;
  /** Where the first folder place has it. */
  truenas_path: string | null;
  /** Where the first bucket has it: `s3://bucket/prefix/name`. */
  s3_uri: string | null;
  /** How many files. */
  file_count: number;
  /** Their bytes. */
  total_bytes: number;
  /** When work on it began. */
  started_at: string;
  /** When `truenas_path` was proved. */
  truenas_verified_at: string | null;
  /** When `s3_uri` was proved. */
  s3_verified_at: string | null;
  /** When everything was proved and sealed. */
  completed_at: string | null;
  /** When the first file of the source was about to go. */
  source_deleting_at: string | null;
  /** When the source was gone. */
  source_deleted_at: string | null;
  /** When the first file at `truenas_path` was about to go. */
  truenas_evicting_at: string | null;
  /** When that place was free. */
  truenas_evicted_at: string | null;
  /** What became of it so far. */
  status: LedgerStatus;
  /** Why it failed: `code: message`. */
  error?: string;
  /** Every place that holds it, by id. */
  places: Record<string, LedgerPlace>;
  /** Hex SHA-256 of its list of checksums. */
  sidecar_sha256: string | null;
  /** Which content under this name it is. */
  incarnation: string;
  /** Name of the host that wrote the line. */
  host: string;
  /** Hex SHA-256 of the line before, without its newline. */
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
