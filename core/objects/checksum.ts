/**
 * Checksums and part sizes of objects: SHA-256 as base64 and hex, the composite of a multipart upload, and how an
 * object is cut into parts.
 * @module
 */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";

const MIB = 2 ** 20;
/** Smallest size of a part other than the last (Amazon S3 User Guide, "Multipart upload limits"). */
export const MIN_PART_BYTES = 5 * MIB;
const MAX_PART_BYTES = 5 * 2 ** 30;
const MAX_PARTS = 10_000;
/** Below this a hash on this thread is quicker than handing the bytes to another. */
const INLINE_HASH_BYTES = 256 * 2 ** 10;

/** SHA-256 of no bytes, hex. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Returns the base64 form of a hex digest. */
export function hexToBase64(hex: string): string {
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) throw new TypeError(`Cannot convert "${hex}": it is not lower-case hex`);
  return btoa(String.fromCharCode(...hex.match(/../g)!.map((pair) => parseInt(pair, 16))));
}

/** Returns the hex form of a base64 digest. */
export function base64ToHex(base64: string): string {
  return Array.from(atob(base64), (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** Returns the base64 SHA-256 of `bytes`; large ones are hashed off this thread. */
export async function sha256Base64(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (bytes.length < INLINE_HASH_BYTES) return createHash("sha256").update(bytes).digest("base64");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest));
}

/** Returns the hex MD5 of `bytes`, for ETags only. */
export function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/**
 * Returns the composite SHA-256 of a multipart object, `base64-N`: the SHA-256 of the raw digests of its parts in
 * order, and how many there are.
 * @param parts Base64 SHA-256 of each part.
 */
export function compositeSha256(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part, "base64");
  return `${hash.digest("base64")}-${parts.length}`;
}

/**
 * Returns the part size in bytes for an object of `size` bytes: `wanted` raised to the smallest multiple of 1 MiB that
 * is at least 5 MiB and needs at most 10,000 parts.
 * @throws {PipelineError} `s3/too-large` if 10,000 parts of 5 GiB do not suffice.
 */
export function choosePartSize(size: number, wanted: number): number {
  const needed = Math.max(wanted, MIN_PART_BYTES, Math.ceil(size / MAX_PARTS));
  const part = Math.ceil(needed / MIB) * MIB;
  if (part <= MAX_PART_BYTES) return part;
  if (Math.ceil(size / MAX_PARTS) <= MAX_PART_BYTES) return MAX_PART_BYTES;
  throw new PipelineError(
    "s3/too-large",
    `Cannot upload an object of ${size} bytes: wanted at most ${MAX_PARTS} parts of 5 GiB`,
    { hint: "No store of this kind takes it. Keep it elsewhere, or split it before the study is backed up." },
  );
}

/** Returns how many parts of `partSize` bytes an object of `size` bytes has; at least one. */
export function countParts(size: number, partSize: number): number {
  return Math.max(1, Math.ceil(size / partSize));
}
