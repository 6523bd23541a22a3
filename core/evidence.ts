/**
 * Evidence: the record of a fact about one file at one place (SAFETY, "The lattice"). Only ports of `core/` mint it.
 * @module
 */

/** How strongly a place proved the bytes. Strong: `read-back`, `server-checksum`. Weak: the next two. `none` never counts. */
export type Guarantee = "read-back" | "server-checksum" | "signed-payload" | "cached-read" | "none";

/** How strong a guarantee is. */
export type Strength = "strong" | "weak" | "none";

/**
 * Returns the strength of a guarantee (SAFETY, "Guarantees").
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { strengthOf } from "labferry";
 *
 * assert.deepEqual([strengthOf("read-back"), strengthOf("cached-read"), strengthOf("none")], ["strong", "weak", "none"]);
 * ```
 */
export function strengthOf(guarantee: Guarantee): Strength {
  if (guarantee === "read-back" || guarantee === "server-checksum") return "strong";
  return guarantee === "none" ? "none" : "weak";
}

/**
 * Change identity of a file-system entry (SAFETY S6). Times are milliseconds since 1970 as the runtime gives them:
 * mtime in ms, ctime in whole seconds. A part the system does not give is null and forces a hash before a destroy.
 */
export interface ChangeIdentity {
  /** Number of the device. */
  dev: number | null;
  /** Number of the inode. */
  ino: number | null;
  /** Bytes. */
  size: number;
  /** When the bytes changed, ms since 1970. */
  mtimeMs: number | null;
  /** When anything changed, ms since 1970, in whole seconds. */
  ctimeMs: number | null;
}

/** The place every item comes from. Evidence at it is the fact `hashed`. */
export const SOURCE_PLACE = "source";

/** The record of a fact: this file, with these bytes, is at this place, shown in this way. */
export interface Evidence {
  /** Path relative to the item's root, `/`-separated, exactly as the source spells it. */
  path: string;
  /** Bytes. */
  size: number;
  /** Lower-case hex SHA-256 of the whole file. */
  sha256: string;
  /** Id of the place: `source` or the id of the stage that wrote it. */
  place: string;
  /** UUID of the place's marker (directories), or endpoint and bucket (object stores): proofs do not cross endpoints. */
  placeUuid: string;
  /** Where exactly: an OS path or `s3://bucket/key`. */
  uri: string;
  /** `written` after the flush barrier; `proved` once the bytes were shown to be there. At the source: `proved`. */
  level: "written" | "proved";
  /** How it was shown. */
  guarantee: Guarantee;
  /** For `read-back` of a directory: how the page cache was kept out of it. */
  medium?: "direct" | "dropped-cache" | "cached";
  /** For a directory: the bytes, or the names that lead to them, may not be on the medium yet. Never with a strong proof. */
  unflushed?: true;
  /** When, ISO 8601 UTC. */
  at: string;
  /** For a directory: the entry's change identity when it was proved (written, if not yet proved). */
  identity?: ChangeIdentity;
  /** For an object: what the store named it by. */
  etag?: string;
  /** The version it was put as, in a bucket that keeps versions. */
  versionId?: string;
  /** For an object in parts: bytes of a part, and the composite checksum `base64-N`. */
  partSize?: number;
  /** The composite checksum. */
  composite?: string;
}

/** Sums over the evidence of one item at one place. */
export interface EvidenceTotals {
  /** How many files. */
  files: number;
  /** Their bytes. */
  bytes: number;
  /** How many are `proved` with a strong guarantee. */
  strong: number;
  /** The weakest guarantee among them; null when there are none. */
  weakest: Guarantee | null;
  /** Latest `at`; null when there are none. */
  latestAt: string | null;
}
