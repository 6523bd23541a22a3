/**
 * Evidence as a row and back. A million files must stay small: what all files of an item share (the place's UUID, the
 * beginning of the URI) is one row of `base`, what SQL asks about has a column, and the rest is a short JSON array.
 * @module
 */
import type { ChangeIdentity, Evidence, Guarantee } from "../evidence.ts";
import { instantOf, type Row } from "./_database.ts";

/** Weakest first; the position is what is stored, so that SQL finds the weakest with `min`. */
export const GUARANTEES: readonly Guarantee[] = [
  "none",
  "cached-read",
  "signed-payload",
  "server-checksum",
  "read-back",
];
export const LEVELS: readonly Evidence["level"][] = ["written", "proved"];

/** Columns of a row in the order of `EvidenceRow`. */
export const COLUMNS = "path, size, sha256, level, guarantee, at, base, rest";
export type EvidenceRow = [string, number, Uint8Array, number, number, number, number, string];

/** The UUID of the place, the beginning of the URI, and the separators of the path that completes it; none: it does not. */
export type Base = [placeUuid: string, prefix: string, form: "/" | "\\" | ""];

const osForm = (path: string, form: Base[2]) => form === "\\" ? path.replaceAll("/", "\\") : path;

function baseOf(path: string, placeUuid: string, uri: string): Base {
  for (const form of ["/", "\\"] as const) {
    const end = osForm(path, form);
    if (uri.endsWith(end)) return [placeUuid, uri.slice(0, uri.length - end.length), form];
  }
  return [placeUuid, "", ""];
}

// Neighbouring rows mostly have one time; parsing and printing it once is a fifth of the work.
let parsed = { text: "", ms: 0 };
let printed = { ms: 0, text: new Date(0).toISOString() };

function timeOf(text: string): number {
  if (text !== parsed.text) parsed = { text, ms: instantOf(text) };
  return parsed.ms;
}

function textOf(ms: number): string {
  if (ms !== printed.ms) printed = { ms, text: new Date(ms).toISOString() };
  return printed.text;
}

/**
 * Returns the row of evidence; `intern` gives the number of a base.
 * @throws {TypeError} for evidence that cannot be kept faithfully; two names must never become one row
 */
export function toRow(evidence: Evidence, intern: (base: string) => number): EvidenceRow {
  const { path, size, sha256, place, placeUuid, uri, level, guarantee, at } = evidence;
  const refuse = (what: string) => new TypeError(`evidence of "${path}" at "${place}": ${what}`);
  if (path === "" || !path.isWellFormed() || path.includes("\0")) throw refuse("the path is not valid text");
  if (!Number.isSafeInteger(size) || size < 0) throw refuse(`the size is ${size}`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw refuse(`the hash is "${sha256}"`);
  const [levelAt, guaranteeAt] = [LEVELS.indexOf(level), GUARANTEES.indexOf(guarantee)];
  if (levelAt < 0 || guaranteeAt < 0) throw refuse(`the level is "${level}/${guarantee}"`);
  const base = baseOf(path, placeUuid, uri);
  const rest = restOf(evidence, base[2] === "" ? uri : undefined);
  const bytes = Uint8Array.fromHex(sha256);
  return [path, size, bytes, levelAt, guaranteeAt, timeOf(at), intern(JSON.stringify(base)), rest];
}

// Written by hand where that is short: this runs for every file at every place.
function restOf(evidence: Evidence, uri: string | undefined): string {
  const { identity, medium } = evidence;
  const stat = identity === undefined
    ? "0"
    : `[${identity.dev},${identity.ino},${identity.size},${identity.mtimeMs},${identity.ctimeMs}]`;
  let more: Record<string, unknown> | undefined;
  for (const key in evidence) if (!IN_COLUMNS.has(key)) (more ??= {})[key] = evidence[key as keyof Evidence];
  if (uri !== undefined) (more ??= {}).uri = uri;
  return `[${medium === undefined ? 0 : `"${medium}"`},${stat},${more === undefined ? "{}" : JSON.stringify(more)}]`;
}

/** What has a column, or a place of its own in `rest`; any other key travels by its name. */
const IN_COLUMNS: ReadonlySet<string> = new Set([
  "path",
  "size",
  "sha256",
  "place",
  "placeUuid",
  "uri",
  "level",
  "guarantee",
  "at",
  "identity",
  "medium",
]);

type Rest = [medium: Evidence["medium"] | 0, stat: (number | null)[] | 0, more: Partial<Evidence>];

/** Returns the evidence of a row; `baseOf` gives the base of a number. */
export function fromRow(place: string, row: Row, baseOf: (id: number) => Base): Evidence {
  const path = row.path as string;
  const [placeUuid, prefix, form] = baseOf(row.base as number);
  const [medium, stat, more] = JSON.parse(row.rest as string) as Rest;
  const evidence: Evidence = {
    path,
    size: row.size as number,
    sha256: (row.sha256 as Uint8Array).toHex(),
    place,
    placeUuid,
    uri: prefix + osForm(path, form),
    level: LEVELS[row.level as number],
    guarantee: GUARANTEES[row.guarantee as number],
    at: textOf(row.at as number),
  };
  Object.assign(evidence, more);
  if (medium !== 0) evidence.medium = medium;
  if (stat !== 0) {
    const [dev, ino, size, mtimeMs, ctimeMs] = stat;
    evidence.identity = { dev, ino, size: size as number, mtimeMs, ctimeMs } satisfies ChangeIdentity;
  }
  return evidence;
}
