/** What a bucket holds. */
import type { Blob } from "./_blobs.ts";

/** An object: one body, or those of its parts. */
export interface StoredObject {
  key: string;
  blobs: Blob[];
  size: number;
  etag: string;
  /** Base64 SHA-256, or `base64-N` for one in parts. */
  sha256: string | undefined;
  metadata: Record<string, string>;
  storageClass: string;
  contentType: string;
  /** ms since 1970. */
  modified: number;
}

export interface StoredPart {
  number: number;
  blob: Blob;
  etag: string;
  sha256: string | undefined;
  modified: number;
}

export interface StoredUpload {
  id: string;
  key: string;
  /** Whether each part must bring its SHA-256. */
  checksums: boolean;
  metadata: Record<string, string>;
  storageClass: string;
  contentType: string;
  initiated: number;
  parts: Map<number, StoredPart>;
}

const encoder = new TextEncoder();

/** Orders keys by bytes of UTF-8, as S3 lists them. */
function byBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return a[index] - b[index];
  return a.length - b.length;
}

export class Bucket {
  readonly uploads = new Map<string, StoredUpload>();
  readonly #objects = new Map<string, StoredObject>();
  #sorted: string[] | undefined;

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  get empty(): boolean {
    return this.#objects.size === 0;
  }

  async set(object: StoredObject): Promise<void> {
    const before = this.#objects.get(object.key);
    this.#objects.set(object.key, object);
    if (before) await removeAll(before.blobs);
    else this.#sorted = undefined;
  }

  async delete(key: string): Promise<void> {
    const before = this.#objects.get(key);
    if (!before) return;
    this.#objects.delete(key);
    this.#sorted = undefined;
    await removeAll(before.blobs);
  }

  /** Keys that begin with `prefix` and come behind `after`, in order. */
  *keys(prefix: string, after: string): Generator<string> {
    const sorted = this.#sorted ??= this.#sort();
    const mark = encoder.encode(after);
    const first = encoder.encode(prefix);
    let low = 0;
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >> 1;
      const key = encoder.encode(sorted[middle]);
      if (byBytes(key, mark) <= 0 || byBytes(key, first) < 0) low = middle + 1;
      else high = middle;
    }
    for (; low < sorted.length && sorted[low].startsWith(prefix); low++) yield sorted[low];
  }

  #sort(): string[] {
    const keys = Array.from(this.#objects.keys(), (key) => ({ key, bytes: encoder.encode(key) }));
    return keys.sort((a, b) => byBytes(a.bytes, b.bytes)).map(({ key }) => key);
  }
}

export async function removeAll(blobs: readonly Blob[]): Promise<void> {
  for (const blob of blobs) await blob.remove();
}
