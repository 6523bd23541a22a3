/**
 * One line of the ledger: a record to JSON, and back with every doubt named (DESIGN 5).
 * @module
 */
import { type Guarantee, strengthOf } from "../evidence.ts";
import { LEDGER_STATUSES, type LedgerEntry, type LedgerPlace, type LedgerRecord } from "./record.ts";

/** The order in which people and tools find the fields. */
const FIELDS = [
  "backup_name",
  "run_name",
  "source_path",
  "truenas_path",
  "s3_uri",
  "file_count",
  "total_bytes",
  "started_at",
  "truenas_verified_at",
  "s3_verified_at",
  "completed_at",
  "source_deleting_at",
  "source_deleted_at",
  "truenas_evicting_at",
  "truenas_evicted_at",
  "status",
  "error",
  "places",
  "sidecar_sha256",
  "incarnation",
  "host",
] as const;

/** `prev` of the first line of a ledger. */
export const NO_PREVIOUS = "0".repeat(64);

const KNOWN: ReadonlySet<string> = new Set([...FIELDS, "prev"]);

/** Returns the record as one line of JSON without a newline. Keys this version does not know come before `prev`. */
export function formatLedgerLine(record: LedgerRecord): string {
  // JSON.stringify escapes newlines, and control characters, so the line is one line.
  return JSON.stringify(inOrder(record as unknown as Record<string, unknown>));
}

function inOrder(values: Record<string, unknown>): Record<string, unknown> {
  const ordered = FIELDS.filter((field) => values[field] !== undefined).map((field) => [field, values[field]]);
  const unknown = Object.entries(values).filter(([key, value]) => !KNOWN.has(key) && value !== undefined);
  return Object.fromEntries([...ordered, ...unknown, ["prev", values.prev]]);
}

/**
 * Returns the entry as it will read back: half surrogates, which some readers of JSON refuse, become U+FFFD, and absent
 * values are left out.
 */
export function storedEntry(entry: LedgerEntry): LedgerEntry {
  return stored(entry) as LedgerEntry;
}

function stored(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(stored);
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(pairs.map(([key, inner]) => [key.toWellFormed(), stored(inner)]));
}

/** Why an entry must not be written; undefined when it may. */
export function entryProblem(entry: LedgerEntry): string | undefined {
  const problem = recordProblem(entry as unknown as Record<string, unknown>);
  if (problem !== undefined) return problem;
  if (!entry.backup_name.isWellFormed()) return `"backup_name" is not valid text: two such names would read as one`;
  if (entry.incarnation === "") return `"incarnation" is empty`;
  return entry.status === "complete" ? completeProblem(entry) : undefined;
}

/** A complete record without files, seal or any proof would certify what nobody has shown (SAFETY S18). */
function completeProblem(entry: LedgerEntry): string | undefined {
  if (entry.file_count === 0) return `a complete record has "file_count" 0`;
  if (entry.completed_at === null) return `a complete record has no "completed_at"`;
  if (entry.sidecar_sha256 === null) return `a complete record has no "sidecar_sha256"`;
  const places = Object.values(entry.places);
  if (!places.some((place) => place.verified_at !== null && strengthOf(place.guarantee) !== "none")) {
    return "a complete record has no place that proved the bytes";
  }
  return undefined;
}

/**
 * Reads a line. A string says why it is no record. Fields that older lines lack are null; unknown keys are kept.
 */
export function parseLedgerLine(bytes: Uint8Array): LedgerRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (bytes.every((byte) => byte === 0)) return "it is empty or filled with zeros, as after a loss of power";
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is not a JSON object";
  const found = value as Record<string, unknown>;
  const problem = recordProblem(found);
  if (problem !== undefined) return problem;
  const record = inOrder({ ...EMPTY, ...found }) as unknown as LedgerRecord;
  record.run_name = text(found.run_name) ?? record.backup_name;
  return record;
}

const EMPTY = {
  source_path: "",
  truenas_path: null,
  s3_uri: null,
  file_count: 0,
  total_bytes: 0,
  truenas_verified_at: null,
  s3_verified_at: null,
  completed_at: null,
  source_deleting_at: null,
  source_deleted_at: null,
  truenas_evicting_at: null,
  truenas_evicted_at: null,
  places: {},
  sidecar_sha256: null,
  incarnation: "",
  host: "",
  prev: "",
};

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined;
const isTime = (value: unknown): boolean =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function recordProblem(record: Record<string, unknown>): string | undefined {
  const wrong = (key: string, wanted: string) =>
    `"${key}" is ${JSON.stringify(record[key]) ?? "absent"}, wanted ${wanted}`;
  if (!text(record.backup_name)) return wrong("backup_name", "a name");
  if (!isTime(record.started_at)) return wrong("started_at", "an ISO 8601 time");
  if (!(LEDGER_STATUSES as readonly unknown[]).includes(record.status)) {
    return wrong("status", `one of ${LEDGER_STATUSES.join(", ")}`);
  }
  for (const key of ["run_name", "source_path", "error", "incarnation", "host", "prev"]) {
    if (record[key] !== undefined && text(record[key]) === undefined) return wrong(key, "a text");
  }
  for (const key of ["file_count", "total_bytes"]) {
    if (record[key] !== undefined && !isCount(record[key])) return wrong(key, "a whole number");
  }
  for (const key of ["truenas_path", "s3_uri", "sidecar_sha256"]) {
    if ((record[key] ?? null) !== null && text(record[key]) === undefined) return wrong(key, "a text or null");
  }
  for (const key of FIELDS.filter((field) => field.endsWith("_at"))) {
    if ((record[key] ?? null) !== null && !isTime(record[key])) return wrong(key, "an ISO 8601 time or null");
  }
  return placesProblem(record.places ?? {});
}

const GUARANTEES: readonly Guarantee[] = ["read-back", "server-checksum", "signed-payload", "cached-read", "none"];

function placesProblem(places: unknown): string | undefined {
  if (typeof places !== "object" || places === null || Array.isArray(places)) return `"places" is not an object`;
  for (const [id, place] of Object.entries(places as Record<string, Partial<LedgerPlace> | null>)) {
    const good = place !== null && typeof place === "object" && text(place.uri) !== undefined &&
      (place.verified_at === null || isTime(place.verified_at)) &&
      (GUARANTEES as readonly unknown[]).includes(place.guarantee);
    if (!good) return `place "${id}" has no uri, verified_at and guarantee`;
  }
  return undefined;
}
