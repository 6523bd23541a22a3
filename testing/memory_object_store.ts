/**
 * An object store in memory with the rules of AWS, quick enough for thousands of property runs, and with hooks that make
 * it fail, lie or lose an answer at any operation.
 */
import { createHash } from "node:crypto";
import { compositeSha256 } from "../core/objects/checksum.ts";
import { compareKeys } from "../core/objects/keys.ts";
import {
  type ListedObject,
  type ListedPart,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
  type PartRef,
  type PutOptions,
  type PutResult,
  type StoreErrorKind,
} from "../core/objects/object_store.ts";

/** The operations of a store that can be made to fail. */
export type StoreCallName = Exclude<keyof ObjectStore, "uri" | "identity" | symbol>;

/** One operation, as hooks see it. */
export interface StoreCall {
  /** Which. */
  name: StoreCallName;
  /** The key it is about. */
  key: string;
  /** 1 for the first operation of this store. */
  number: number;
  /** Number of the part, where there is one. */
  part?: number;
}

/** What a store does besides what it should. All may be left out. */
export interface StoreHooks {
  /** Throws to fail an operation before it is done. */
  before?(call: StoreCall): void | Promise<void>;
  /** Throws to lose the answer of an operation that was done. */
  after?(call: StoreCall): void | Promise<void>;
  /** Returns the bytes that are stored in place of those that were sent. */
  store?(call: StoreCall, bytes: Uint8Array): Uint8Array;
  /** Returns the bytes that are read in place of those that are stored. */
  read?(call: StoreCall, bytes: Uint8Array): Uint8Array;
  /** Returns the answer to a Put, UploadPart, Complete or Head in place of the true one. */
  answer?<T extends PutResult>(call: StoreCall, result: T): T;
}

/** How a store in memory behaves. */
export interface MemoryStoreOptions extends StoreHooks {
  /** Name of the bucket. */
  bucket?: string;
  /** Its clock, ms since 1970. */
  now?: () => number;
  /** Whether wrong checksums are refused and right ones echoed; without it both are as with radosgw. Default: true. */
  checksums?: boolean;
  /** Whether `If-None-Match` holds on Put, on Complete. Default: true. */
  putIfAbsent?: boolean;
  /** Whether `If-None-Match` holds on Complete. */
  completeIfAbsent?: boolean;
  /** Whether it keeps versions. */
  versioned?: boolean;
  /** The smallest part but the last, bytes. Default: 5 MiB, as with AWS. */
  minPartBytes?: number;
}

/** An object as it is kept. */
export interface MemoryObject {
  /** Its bytes. */
  bytes: Uint8Array;
  /** As the store names it. */
  etag: string;
  /** Null without versions. */
  versionId: string | null;
  /** Base64 checksum of the whole, or composite; null where none was sent. */
  sha256: string | null;
  /** Its own metadata. */
  metadata: Record<string, string>;
  /** Null where none was asked for. */
  storageClass: string | null;
}

interface MemoryUpload {
  key: string;
  metadata: Record<string, string>;
  storageClass: string | null;
  parts: Map<number, { bytes: Uint8Array; etag: string; sha256: string | null }>;
}

/** A store, and what is in it. */
export interface MemoryStore extends ObjectStore {
  /** Objects by key. */
  readonly objects: Map<string, MemoryObject>;
  /**
   * Uploads that are open, by id.
   * @internal
   */
  readonly uploads: Map<string, MemoryUpload>;
  /** Every operation so far. */
  readonly calls: StoreCall[];
  /** Can be changed at any time. */
  hooks: StoreHooks;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");
const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/**
 * Returns the failure of a store for a hook to throw.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { failure, memoryStore } from "labferry/testing";
 *
 * const store = memoryStore({
 *   before: () => {
 *     throw failure("throttled");
 *   },
 * });
 * await assert.rejects(store.head("key", AbortSignal.timeout(1000)), /throttled/);
 * ```
 */
export function failure(kind: StoreErrorKind, message = `made up: ${kind}`): ObjectStoreError {
  return new ObjectStoreError(kind, message);
}

/**
 * Makes a store in memory.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { memoryStore } from "labferry/testing";
 *
 * const store = memoryStore();
 * const signal = AbortSignal.timeout(1000);
 * assert.equal(await store.head("key", signal), undefined);
 * assert.equal(store.uri, "s3://memory");
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const {
    bucket = "memory",
    now = () => 0,
    checksums = true,
    putIfAbsent = true,
    completeIfAbsent = true,
    versioned = false,
    minPartBytes = 5 * 2 ** 20,
  } = options;
  const objects = new Map<string, MemoryObject>();
  const uploads = new Map<string, MemoryUpload>();
  const calls: StoreCall[] = [];
  let serial = 0;

  async function run<T>(
    at: { name: StoreCallName; key: string; part?: number; signal: AbortSignal },
    act: (call: StoreCall) => T,
  ): Promise<T> {
    const { signal, ...rest } = at;
    const call: StoreCall = { ...rest, number: calls.length + 1 };
    calls.push(call);
    // Every request takes a turn of the event loop, so that what runs in parallel does so here too.
    await Promise.resolve();
    signal.throwIfAborted();
    await store.hooks.before?.(call);
    signal.throwIfAborted();
    const result = act(call);
    await store.hooks.after?.(call);
    signal.throwIfAborted();
    return result;
  }

  function check(claimed: string | undefined, bytes: Uint8Array): string | null {
    if (!checksums) return null;
    if (claimed !== undefined && claimed !== sha256(bytes)) throw failure("bad-digest");
    return claimed ?? null;
  }

  const answer = <T extends PutResult>(call: StoreCall, result: T): T => store.hooks.answer?.(call, result) ?? result;

  function keep(key: string, object: Omit<MemoryObject, "versionId">): MemoryObject {
    const kept = { ...object, versionId: versioned ? `v${++serial}` : null };
    objects.set(key, kept);
    return kept;
  }

  const named = ({ etag, versionId, sha256 }: MemoryObject): PutResult => ({ etag, versionId, sha256 });

  function uploadOf(key: string, id: string): MemoryUpload {
    const upload = uploads.get(id);
    if (!upload || upload.key !== key) throw failure("not-found", "no such upload");
    return upload;
  }

  const store: MemoryStore = {
    uri: `s3://${bucket}`,
    identity: `memory/${bucket}`,
    objects,
    uploads,
    calls,
    hooks: options,
    headBucket: (signal) => run({ name: "headBucket", key: "", signal }, () => ({ serverDate: new Date(now()) })),
    head: (key, signal) =>
      run({ name: "head", key, signal }, (call): ObjectInfo | undefined => {
        const object = objects.get(key);
        if (!object) return undefined;
        const { metadata, storageClass, bytes } = object;
        const serverDate = new Date(now());
        return answer(call, { key, size: bytes.length, metadata, storageClass, serverDate, ...named(object) });
      }),
    put: (key, body, put: PutOptions, signal) =>
      run({ name: "put", key, signal }, (call) => {
        const echo = check(put.sha256, body);
        if (put.ifAbsent && putIfAbsent && objects.has(key)) throw failure("precondition");
        const bytes = (store.hooks.store?.(call, body) ?? body).slice();
        const { metadata, storageClass = null } = put;
        return answer(call, named(keep(key, { bytes, etag: md5(body), sha256: echo, metadata, storageClass })));
      }),
    get: (key, range, signal) =>
      run({ name: "get", key, signal }, (call) => {
        const object = objects.get(key);
        if (!object || (range.versionId && range.versionId !== object.versionId)) throw failure("not-found");
        const bytes = store.hooks.read?.(call, object.bytes) ?? object.bytes;
        if (range.total !== undefined && bytes.length !== range.total) throw failure("bad-digest", "another size");
        if (range.end > bytes.length) throw failure("unreachable", "a short answer");
        const piece = bytes.subarray(range.start, range.end);
        range.into?.set(piece);
        return range.into ?? piece.slice();
      }),
    async *list(prefix, signal, { startAfter } = {}) {
      await run({ name: "list", key: prefix, signal }, () => {});
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
      for (const key of keys) {
        if (startAfter !== undefined && compareKeys(key, startAfter) <= 0) continue;
        const { bytes, etag, storageClass } = objects.get(key)!;
        const listed: ListedObject = { key, size: bytes.length, etag, storageClass };
        yield listed;
      }
    },
    delete: (key, signal) => run({ name: "delete", key, signal }, () => void objects.delete(key)),
    createUpload: (key, { metadata, storageClass = null }, signal) =>
      run({ name: "createUpload", key, signal }, () => {
        const id = `upload-${++serial}`;
        uploads.set(id, { key, metadata, storageClass, parts: new Map() });
        return id;
      }),
    uploadPart: (key, id, part, signal) =>
      run({ name: "uploadPart", key, part: part.number, signal }, (call) => {
        const echo = check(part.sha256, part.body);
        const upload = uploadOf(key, id);
        const bytes = (store.hooks.store?.(call, part.body) ?? part.body).slice();
        const etag = md5(part.body);
        upload.parts.set(part.number, { bytes, etag, sha256: echo });
        return answer(call, { etag, versionId: null, sha256: echo });
      }),
    async *listParts(key, id, signal) {
      const upload = await run({ name: "listParts", key, signal }, () => uploadOf(key, id));
      for (const [number, { bytes, etag, sha256 }] of [...upload.parts].sort(([a], [b]) => a - b)) {
        const listed: ListedPart = { number, size: bytes.length, etag, sha256 };
        yield listed;
      }
    },
    completeUpload: (key, id, parts: readonly PartRef[], { ifAbsent, sha256: expected }, signal) =>
      run({ name: "completeUpload", key, signal }, (call) => {
        const upload = uploadOf(key, id);
        if (ifAbsent && completeIfAbsent && objects.has(key)) throw failure("precondition");
        const chosen = parts.map((ref, index) => {
          const part = upload.parts.get(ref.number);
          if (!part || part.etag !== ref.etag || (checksums && part.sha256 !== ref.sha256)) {
            throw failure("bad-request");
          }
          if (index < parts.length - 1 && part.bytes.length < minPartBytes) throw failure("bad-request", "too small");
          return part;
        });
        const composite = checksums ? compositeSha256(chosen.map((part) => part.sha256!)) : null;
        if (checksums && expected !== undefined && expected !== composite) throw failure("bad-digest");
        uploads.delete(id);
        const bytes = new Uint8Array(chosen.reduce((size, part) => size + part.bytes.length, 0));
        let at = 0;
        for (const part of chosen) {
          bytes.set(part.bytes, at);
          at += part.bytes.length;
        }
        const etag = `${md5(new TextEncoder().encode(chosen.map((part) => part.etag).join("")))}-${chosen.length}`;
        const { metadata, storageClass } = upload;
        return answer(call, named(keep(key, { bytes, etag, sha256: composite, metadata, storageClass })));
      }),
    abortUpload: (key, id, signal) =>
      run({ name: "abortUpload", key, signal }, () => {
        uploadOf(key, id);
        uploads.delete(id);
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return store;
}
