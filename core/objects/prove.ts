/**
 * What shows that an object holds the bytes it should: the store's own check where the store is trusted with it, else
 * every byte read back and hashed (SAFETY S8, S18).
 * @module
 */
import { createHash } from "node:crypto";
import type { Guarantee } from "../evidence.ts";
import { PipelineError } from "../errors.ts";
import type { Lease } from "./budget.ts";
import { base64ToHex, compositeSha256, EMPTY_SHA256 } from "./checksum.ts";
import { linkedAbort } from "./_linked_abort.ts";
import { objectUri } from "./keys.ts";
import { type ObjectInfo, ObjectStoreError, type PutResult } from "./object_store.ts";
import { inWords, type ObjectSession, request, weightOf } from "./session.ts";

/** Bytes of one ranged read. */
const PIECE_BYTES = 8 * 2 ** 20;
/** Ranged reads of one object under way at once. */
const READ_AHEAD = 4;

/** The bytes an object should hold. */
export interface ExpectedObject {
  key: string;
  size: number;
  /** Hex SHA-256 of all bytes. */
  sha256: string;
  /** For an object in parts: base64 SHA-256 of each, in order. */
  parts?: readonly string[];
}

/** What was shown of an object. */
export interface ObjectProof {
  guarantee: Guarantee;
  etag: string | null;
  versionId: string | null;
}

/**
 * Shows that an object just sent holds its bytes, as far as `settings.verify` asks: with `auto` by the checksum the
 * store echoed, where it is trusted with it, else by reading back.
 * @throws {PipelineError} `s3/mismatch` when it holds other bytes, `s3/not-found` when it is not there
 */
export async function proveSent(
  session: ObjectSession,
  expected: ExpectedObject,
  echo: PutResult,
): Promise<ObjectProof> {
  const { verify } = session.settings;
  const named = await nameOf(session, expected, echo);
  if (verify === "none") return { guarantee: "none", ...named };
  if (verify === "auto") {
    if (await checksumHolds(session, expected, echo)) return { guarantee: "server-checksum", ...named };
    // Some stores show on request what they do not echo.
    if (await checksumCounts(session, expected)) {
      const info = await mustHead(session, expected.key);
      if (await checksumHolds(session, expected, info)) return { guarantee: "server-checksum", ...named };
    }
  }
  await mustEqual(session, expected, named.versionId);
  return { guarantee: "read-back", ...named };
}

/** What the store names the object by. It is asked for only where its answer did not say, and where no byte can be read. */
async function nameOf(
  session: ObjectSession,
  expected: ExpectedObject,
  echo: PutResult,
): Promise<Omit<ObjectProof, "guarantee">> {
  if (echo.etag !== null && expected.size > 0) return { etag: echo.etag, versionId: echo.versionId };
  const info = await mustHead(session, expected.key);
  if (info.size !== expected.size) throw mismatch(session, expected, `it has ${info.size} bytes`);
  return { etag: info.etag, versionId: echo.versionId ?? info.versionId };
}

/**
 * Reads every byte of an object back and compares.
 * @throws {PipelineError} `s3/mismatch`, `s3/not-found`
 */
export function proveObject(
  session: ObjectSession,
  expected: ExpectedObject & { versionId?: string | null },
): Promise<ObjectProof> {
  return inWords(session, { verb: "verify", key: expected.key }, async () => {
    const info = await mustHead(session, expected.key);
    if (info.size !== expected.size) throw mismatch(session, expected, `it has ${info.size} bytes`);
    if (expected.versionId && info.versionId !== expected.versionId) {
      throw mismatch(session, expected, `its version is ${info.versionId}, not ${expected.versionId}`);
    }
    await mustEqual(session, expected, info.versionId);
    return { guarantee: "read-back", etag: info.etag, versionId: info.versionId };
  });
}

/**
 * Whether an object that is there already, or may have been made by a request whose answer was lost, holds the expected
 * bytes: the proof if it does, undefined if it holds others. Judges in full whatever `settings.verify` says.
 */
export async function judgeExisting(
  session: ObjectSession,
  expected: ExpectedObject,
  info: ObjectInfo,
): Promise<ObjectProof | undefined> {
  if (info.size !== expected.size) return undefined;
  const named = { etag: info.etag, versionId: info.versionId };
  if (session.settings.verify !== "read-back" && await checksumHolds(session, expected, info)) {
    return { guarantee: "server-checksum", ...named };
  }
  const sha256 = await readBack(session, expected, info.versionId);
  return sha256 === expected.sha256 ? { guarantee: "read-back", ...named } : undefined;
}

/** Whether the store says the checksum the bytes have, and is trusted to have computed it from them. */
async function checksumHolds(session: ObjectSession, expected: ExpectedObject, info: PutResult): Promise<boolean> {
  if (info.sha256 === null || !await checksumCounts(session, expected)) return false;
  return equalsEcho(expected, info.sha256);
}

function equalsEcho(expected: ExpectedObject, echo: string): boolean {
  if (expected.parts) return echo === compositeSha256(expected.parts);
  return !echo.includes("-") && base64ToHex(echo) === expected.sha256;
}

async function checksumCounts(session: ObjectSession, expected: ExpectedObject): Promise<boolean> {
  const { trust, signal } = session;
  if (!expected.parts) return await trust.trusts("put-checksum", signal);
  return await trust.trusts("part-checksum", signal) && await trust.trusts("complete-checksum", signal);
}

async function mustHead(session: ObjectSession, key: string): Promise<ObjectInfo> {
  const info = await request(session, `look at "${key}"`, () => session.store.head(key, session.signal));
  if (info) return info;
  throw new ObjectStoreError("not-found", "the store took the object and does not show it");
}

/**
 * A reading that differs may have been damaged on the way here, and one that is right may have come from a cache while
 * the medium rots: after one that differs, two in a row must be right.
 */
async function mustEqual(session: ObjectSession, expected: ExpectedObject, versionId: string | null): Promise<void> {
  const found = await differenceOf(session, expected, versionId);
  if (found === undefined) return;
  const uri = objectUri(session.store.uri, expected.key);
  session.log.warn(`"${uri}" was read back with other bytes: ${found}; it is read twice more, and both must be right`);
  for (let reading = 1; reading <= 2; reading++) {
    const again = await differenceOf(session, expected, versionId);
    if (again !== undefined) throw mismatch(session, expected, again);
  }
}

/** What one reading shows to be wrong, in words; undefined for the expected bytes. */
async function differenceOf(
  session: ObjectSession,
  expected: ExpectedObject,
  versionId: string | null,
): Promise<string | undefined> {
  try {
    const sha256 = await readBack(session, expected, versionId);
    return sha256 === expected.sha256 ? undefined : `its SHA-256 is ${sha256}`;
  } catch (error) {
    if (!(error instanceof ObjectStoreError && error.kind === "bad-digest")) throw error;
    return error.message;
  }
}

function mismatch(session: ObjectSession, expected: ExpectedObject, found: string): PipelineError {
  const uri = objectUri(session.store.uri, expected.key);
  return new PipelineError(
    "s3/mismatch",
    `Cannot verify "${uri}": ${found}, wanted ${expected.size} bytes with SHA-256 ${expected.sha256}`,
    {
      hint:
        "The store does not hold the bytes that were sent. Nothing at the source is removed. Have the store checked, " +
        "then remove this object by hand and run again.",
    },
  );
}

/** Reads an object of known size in bounded pieces, a few at once, and returns the hex SHA-256. */
async function readBack(
  session: ObjectSession,
  expected: ExpectedObject,
  versionId: string | null,
): Promise<string> {
  const { key, size } = expected;
  // No byte can be asked for; the size was seen by whoever called.
  if (size === 0) return EMPTY_SHA256;
  using stop = linkedAbort(session.signal);
  const { signal } = stop;
  const hash = createHash("sha256");
  const pieces: Promise<Lease>[] = [];
  const read = async (start: number) => {
    const end = Math.min(size, start + PIECE_BYTES);
    const lease = await session.budget.acquire(end - start, signal);
    try {
      using _pass = await session.readGate.enter(signal, weightOf(end - start));
      const range = { start, end, total: size, versionId: versionId ?? undefined, into: lease.bytes };
      await request(session, `read back "${key}"`, () => session.store.get(key, range, signal));
      return lease;
    } catch (error) {
      // An answer that was given up may still be arriving.
      lease.spoil();
      lease[Symbol.dispose]();
      throw error;
    }
  };
  try {
    for (let next = 0; next < size || pieces.length > 0;) {
      for (; next < size && pieces.length < READ_AHEAD; next += PIECE_BYTES) {
        const piece = read(next);
        // Its failure is met when its turn comes.
        piece.catch(() => {});
        pieces.push(piece);
      }
      using lease = await pieces.shift()!;
      hash.update(lease.bytes);
    }
  } finally {
    if (pieces.length > 0) stop.abort("the read-back has ended");
    for (const piece of await Promise.allSettled(pieces)) {
      if (piece.status === "fulfilled") piece.value[Symbol.dispose]();
    }
  }
  return hash.digest("hex");
}
