/** Small judgements the truth rests on: bytes, sidecars, and what a loss of power leaves of a folder. @module */
import { createHash } from "node:crypto";
import type { Node } from "../../testing/memory_nodes.ts";

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const sha256Base64 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

export function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && Buffer.compare(a, b) === 0;
}

/** How many bits differ; Infinity when the lengths do. */
export function bitsApart(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity;
  let bits = 0;
  for (let i = 0; i < a.length; i++) for (let x = a[i] ^ b[i]; x > 0; x >>= 1) bits += x & 1;
  return bits;
}

/** An entry of a folder as a loss of power would leave it: as it was before the first change that is not flushed. */
export function durableEntry(folder: Node, key: string): Node | undefined {
  for (const change of folder.pending) {
    if (change.flushed) continue;
    const undo = change.undo.find((one) => one.folder === folder && one.key === key);
    if (undo) return undo.before?.node;
  }
  return folder.entries.get(key)?.node;
}

export function parseSidecar(text: string): { sha256: string; path: string }[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const escaped = line.startsWith("\\");
    const [, hash, name] = /^\\?([0-9a-f]{64}) [ *](.*)$/s.exec(line) ?? ["", "", ""];
    const path = escaped
      ? name.replace(/\\(.)/g, (_, letter) => ({ n: "\n", r: "\r" } as Record<string, string>)[letter] ?? letter)
      : name;
    return { sha256: hash, path };
  });
}

/** The bytes with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) copy[(bit >> 3) % copy.length] ^= 1 << (bit & 7);
  return copy;
}

let tags = 0;

/** An object that somebody else put. */
export function foreignObject(bytes: Uint8Array) {
  return { bytes, etag: `foreign-${++tags}`, versionId: null, sha256: null, metadata: {}, storageClass: null };
}
