/**
 * The folded ledger for people and programs: `manifest show FILE`.
 * @module
 */
import { basename } from "@std/path";
import { formatSize } from "../sizes.ts";
import { visibleLine } from "../visible.ts";
import type { LedgerFold } from "./fold.ts";
import type { LedgerRecord, TornLine } from "./record.ts";
import type { ChainReport } from "./verify_chain.ts";
import { vouchedLines } from "./verify_chain.ts";

/** Returns the folded ledger as text for a terminal, or as the JSON object `{backup_name: record}`. Ends in a newline. */
export function renderLedger(fold: LedgerFold, format: "text" | "json"): string {
  if (format === "json") return `${JSON.stringify(Object.fromEntries(fold.records), null, 2)}\n`;
  if (fold.records.size === 0) return "The ledger has no records yet.\n";
  const rows = [...fold.records.values()].map(rowOf);
  return `${table([HEAD, ...rows])}\n${summary([...fold.records.values()])}\n`;
}

/** Sentences about lines that were left out, for stderr. */
export function tornWarnings(torn: readonly TornLine[]): string[] {
  return torn.map(({ file, line, reason }) => `${file}, line ${line} is left out: ${reason}`);
}

/** How many months a sentence names. */
const NAMED = 5;

/** What a check of the chains cannot see, and where it shows; of one month's file alone, or of all of a folder's. */
export function unseenCuts(reports: readonly ChainReport[], kind: "file" | "directory"): string[] {
  const ends = reports.toReversed().flatMap((report) => {
    const vouched = vouchedLines(report, reports);
    if (report.lines === vouched) return [];
    const file = basename(report.file);
    return [vouched === 0 ? `at the end of ${file}` : `behind line ${vouched} of ${file}`];
  });
  if (ends.length === 0) return [];
  const more = ends.length > NAMED ? `, and of ${ends.length - NAMED} more` : "";
  return [
    `Not seen here: whether lines were cut off ${ends.slice(0, NAMED).join(", ")}${more}; no later line follows them.`,
    kind === "file"
      ? "Verify the folder: a later month follows the lines of an earlier one. The newest lines show only in the mirror."
      : "The mirror, <prefix>/_manifests/ in the bucket, never shrinks: a month that is longer there has lost lines here.",
  ];
}

const HEAD = ["BACKUP", "STATUS", "FILES", "SIZE", "STARTED", "COMPLETED", "SOURCE", "WHERE"];
/** Columns of numbers. */
const RIGHT = new Set([2, 3]);

function rowOf(record: LedgerRecord): string[] {
  return [
    visibleLine(record.backup_name),
    record.status,
    String(record.file_count),
    formatSize(record.total_bytes),
    time(record.started_at),
    time(record.completed_at),
    sourceState(record),
    where(record),
  ];
}

function sourceState(record: LedgerRecord): string {
  if (record.source_deleted_at !== null) return `deleted ${time(record.source_deleted_at)}`;
  if (record.source_deleting_at !== null) return `deleting since ${time(record.source_deleting_at)}`;
  return "kept";
}

/** The places with what proved them, and what went wrong. */
function where(record: LedgerRecord): string {
  const evicted = record.truenas_evicted_at ?? record.truenas_evicting_at;
  const parts = Object.entries(record.places).map(([id, place]) => {
    if (evicted !== null && place.uri === record.truenas_path) {
      return `${visibleLine(id)} ${record.truenas_evicted_at === null ? "being evicted since" : "evicted"} ${
        time(evicted)
      }`;
    }
    return `${visibleLine(id)} ${place.verified_at === null ? "not proved" : place.guarantee}`;
  });
  if (record.error !== undefined) parts.push(visibleLine(record.error));
  return parts.length === 0 ? "-" : parts.join(", ");
}

function summary(records: readonly LedgerRecord[]): string {
  const counts = new Map<string, number>();
  for (const { status } of records) counts.set(status, (counts.get(status) ?? 0) + 1);
  const bytes = records.reduce((sum, record) => sum + record.total_bytes, 0);
  const kinds = [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([status, count]) => `${count} ${status}`);
  return `${records.length} ${records.length === 1 ? "backup" : "backups"}, ${formatSize(bytes)}: ${kinds.join(", ")}`;
}

/** `2026-03-01 02:21` in UTC. */
function time(stamp: string | null): string {
  return stamp === null ? "-" : new Date(stamp).toISOString().slice(0, 16).replace("T", " ");
}

const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60]|\p{Emoji_Presentation}/u;

/** Columns of a terminal that a text takes. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) columns += /\p{Mark}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

function table(rows: readonly string[][]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => width(row[column]))));
  const cell = (text: string, column: number) => {
    const space = " ".repeat(widths[column] - width(text));
    return RIGHT.has(column) ? space + text : text + space;
  };
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
