/**
 * The object-store port: one request a method, no retries, no policy. Adapters (`plugins/stores/`) turn each call into
 * one request of their protocol and each failure into an `ObjectStoreError`. Bodies are always bytes, never streams.
 * @module
 */

/** What a failure means to the upload protocol; adapters map their protocol's codes onto these. */
export type StoreErrorKind =
  | "not-found" // key or upload id absent
  | "no-bucket"
  | "denied" // 403, wrong or missing credentials
  | "bad-digest" // the store refused the bytes because a checksum did not match
  | "precondition" // 412: the key exists
  | "conflict" // 409: a concurrent write
  | "clock-skew"
  | "throttled" // 503 SlowDown, 429
  | "unreachable" // DNS, refused, dropped, timed out, 5xx
  | "bad-request"
  | "unsupported" // 501 and answers of another protocol
  | "archived" // the object is in a storage class that needs a restore
  | "stopped"; // no adapter's: it did not answer, and was not asked again since the run was asked to stop

/**
 * A failure of one request. Trying again may help with `throttled`, `unreachable` and `conflict`.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ObjectStoreError } from "labferry";
 *
 * assert.equal(new ObjectStoreError("denied", "the key may not be read", { status: 403 }).status, 403);
 * ```
 */
export class ObjectStoreError extends Error {
  /** Tells it from other errors across modules. */
  override readonly name = "ObjectStoreError";
  /** `status`: the HTTP status, where there was an answer. */
  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    options?: ErrorOptions & { status?: number; serverDate?: Date },
  ) {
    super(message, options);
    this.status = options?.status;
    this.serverDate = options?.serverDate;
  }
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number;
  /** The store's own clock (its `Date` header), for the words about skew. */
  readonly serverDate?: Date;
}

/** What a store says of an object it just took. */
export interface PutResult {
  /** As the store names these bytes. */
  etag: string | null;
  /** Null in a bucket without versions. */
  versionId: string | null;
  /** The SHA-256 checksum the store echoed, base64 (composite: `base64-N`); null when it echoed none. */
  sha256: string | null;
}

/** What a store says of an object that is there. */
export interface ObjectInfo extends PutResult {
  /** Its key. */
  key: string;
  /** Bytes. */
  size: number;
  /** Its own metadata, names in lower case. */
  metadata: Record<string, string>;
  /** Null for the bucket's own. */
  storageClass: string | null;
  /** The store's clock when it answered, if it said so. */
  serverDate: Date | null;
}

/** A line of a listing. */
export interface ListedObject {
  /** Its key. */
  key: string;
  /** Bytes. */
  size: number;
  /** As the store names its bytes. */
  etag: string | null;
  /** Null where the listing does not say. */
  storageClass: string | null;
}

/** A part of an upload that is open. */
export interface ListedPart {
  /** 1-based. */
  number: number;
  /** Bytes. */
  size: number;
  /** As the store names its bytes. */
  etag: string | null;
  /** The checksum the store kept, base64. */
  sha256: string | null;
}

/** A part as Complete names it. */
export interface PartRef {
  /** 1-based. */
  number: number;
  /** As the store named it. */
  etag: string | null;
  /** Base64 SHA-256 of the part's bytes. */
  sha256: string;
}

/** How an object is put. */
export interface PutOptions {
  /** Names in lower case; values are ASCII. */
  metadata: Record<string, string>;
  /** Base64 SHA-256 of the body, sent as checksum header. */
  sha256: string;
  /** The store's own word. Default: that of the bucket. */
  storageClass?: string;
  /** Refuse when the key exists (`If-None-Match: *`). Stores that ignore it are found by the probe. */
  ifAbsent?: boolean;
  /**
   * Base64 SHA-256 of the body where the caller has it, to be signed as payload hash; without it the adapter hashes.
   * Apart from `sha256`, so that the probe can send a wrong checksum under a right signature.
   */
  signedSha256?: string;
}

/** One bucket. Keys never begin with `/`. Every method takes the run's signal. */
export interface ObjectStore extends AsyncDisposable {
  /** For words and evidence: `s3://bucket`. */
  readonly uri: string;
  /** Endpoint and bucket: what probe results, open uploads and evidence are remembered under. */
  readonly identity: string;
  /** Throws `no-bucket` or `denied`; returns the store's clock. */
  headBucket(signal: AbortSignal): Promise<{ serverDate: Date | null }>;
  /** An object as it is; undefined when there is none. */
  head(key: string, signal: AbortSignal): Promise<ObjectInfo | undefined>;
  /** Puts an object whole. */
  put(key: string, body: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutResult>;
  /**
   * Reads bytes `start` to `end` (exclusive, above `start`) of an object; short answers throw `unreachable`. With
   * `total`, an object of any other size throws `bad-digest`. With `into`, of just that length, the bytes are put there
   * and `into` is returned; after a failure its content is unspecified.
   */
  get(
    key: string,
    range: { start: number; end: number; versionId?: string; total?: number; into?: Uint8Array },
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  /** All objects under a prefix in key order (bytes of UTF-8), page by page; `startAfter`: only keys behind that one. */
  list(prefix: string, signal: AbortSignal, options?: { startAfter?: string }): AsyncIterable<ListedObject>;
  /** Removes an object; one that is not there is no error. */
  delete(key: string, signal: AbortSignal): Promise<void>;
  /** Begins an upload in parts; returns its id. */
  createUpload(
    key: string,
    options: Omit<PutOptions, "sha256" | "ifAbsent" | "signedSha256">,
    signal: AbortSignal,
  ): Promise<string>;
  /** Uploads a part; one of the same number gives way. */
  uploadPart(
    key: string,
    uploadId: string,
    part: { number: number; body: Uint8Array; sha256: string; signedSha256?: string },
    signal: AbortSignal,
  ): Promise<PutResult>;
  /** The parts that were uploaded so far, by number. */
  listParts(key: string, uploadId: string, signal: AbortSignal): AsyncIterable<ListedPart>;
  /** `sha256`: the composite `base64-N` the store must arrive at. */
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly PartRef[],
    options: { ifAbsent?: boolean; sha256?: string },
    signal: AbortSignal,
  ): Promise<PutResult>;
  /** Gives an upload up; its parts are gone. */
  abortUpload(key: string, uploadId: string, signal: AbortSignal): Promise<void>;
}
