import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
} from "../../../core/objects/object_store.ts";

/** The calls of an object store that the mirror uses, in memory, with a log of the requests and one fault at a time. */
export class SmallStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly requests: string[] = [];
  fault: ((request: string) => void) | undefined;
  /** What a bad store does to the bytes it is given. */
  spoil: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;

  readonly store = {
    uri: "s3://archive",
    identity: "test/archive",
    head: (key: string) => this.#ask(`head ${key}`, () => this.#info(key)),
    put: (key: string, body: Uint8Array) =>
      this.#ask(`put ${key} ${body.length}`, () => {
        this.objects.set(key, this.spoil(body.slice()));
        return this.#info(key);
      }),
    get: (key: string, { start, end }: { start: number; end: number }) =>
      this.#ask(`get ${key}`, () => {
        const bytes = this.objects.get(key);
        if (bytes === undefined) throw new ObjectStoreError("not-found", key);
        return bytes.slice(start, end);
      }),
    list: (prefix: string) => this.#list(prefix),
  } as unknown as ObjectStore;

  // deno-lint-ignore require-await -- a store answers later
  async #ask<T>(request: string, answer: () => T): Promise<T> {
    this.requests.push(request);
    this.fault?.(request);
    return answer();
  }

  async *#list(prefix: string): AsyncGenerator<ListedObject> {
    await this.#ask(`list ${prefix}`, () => {});
    for (const [key, bytes] of this.objects) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length, etag: null, storageClass: null };
    }
  }

  #info(key: string): ObjectInfo | undefined {
    const bytes = this.objects.get(key);
    if (bytes === undefined) return undefined;
    const etag = createHash("md5").update(bytes).digest("hex");
    return {
      key,
      size: bytes.length,
      etag,
      versionId: null,
      sha256: null,
      metadata: {},
      storageClass: null,
      serverDate: null,
    };
  }

  text(key: string): string | undefined {
    const bytes = this.objects.get(key);
    return bytes && Buffer.from(bytes).toString();
  }
}
