/**
 * The object-store port on the S3 client: one request a method, no retries, every wait bounded. The runtime's own HTTP
 * client sends a request once more when a kept connection turns out to be dead; the upload protocol judges by what is
 * there, so that a request that arrived twice does no harm.
 */
import type * as Sdk from "@aws-sdk/client-s3";
import {
  type ListedObject,
  type ListedPart,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
  type PartRef,
  type PutOptions,
  type PutResult,
} from "../../core/objects/object_store.ts";
import { parseDate, storeError } from "./_s3_errors.ts";
import { nextWithin, readExactly } from "./_s3_body.ts";

/** Slowest link a body is waited for, on top of the time allowed for an answer. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** What the store is opened with. */
export interface S3StoreOptions {
  bucket: string;
  /** For `identity`: the endpoint, or the region where it follows from that. */
  endpoint: string;
  requestTimeoutMs: number;
}

/** The part of a client's command that is used here: anything `send` takes. */
// deno-lint-ignore no-explicit-any
type AnyCommand = any;

export class S3Store implements ObjectStore {
  readonly uri: string;
  readonly identity: string;
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;
  readonly #bucket: string;
  readonly #requestTimeoutMs: number;

  constructor(sdk: typeof Sdk, client: Sdk.S3Client, options: S3StoreOptions) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = options.bucket;
    this.#requestTimeoutMs = options.requestTimeoutMs;
    this.uri = `s3://${options.bucket}`;
    this.identity = `${options.endpoint}/${options.bucket}`;
  }

  async headBucket(signal: AbortSignal): Promise<{ serverDate: Date | null }> {
    const command = new this.#sdk.HeadBucketCommand({ Bucket: this.#bucket });
    const date = watchDate(command);
    try {
      await this.#send(command, signal);
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.kind === "not-found")) throw error;
      throw new ObjectStoreError("no-bucket", error.message, {
        cause: error,
        status: 404,
        serverDate: error.serverDate,
      });
    }
    return { serverDate: date() };
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectInfo | undefined> {
    const command = new this.#sdk.HeadObjectCommand({ Bucket: this.#bucket, Key: key, ChecksumMode: "ENABLED" });
    const date = watchDate(command);
    try {
      const head: Sdk.HeadObjectCommandOutput = await this.#send(command, signal);
      if (head.ContentLength === undefined) throw new ObjectStoreError("unsupported", "no length in the answer");
      return {
        key,
        size: head.ContentLength,
        metadata: head.Metadata ?? {},
        storageClass: head.StorageClass ?? null,
        serverDate: date(),
        ...resultOf(head),
      };
    } catch (error) {
      if (error instanceof ObjectStoreError && error.kind === "not-found") return undefined;
      throw error;
    }
  }

  async put(key: string, body: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutResult> {
    const command = new this.#sdk.PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: options.sha256,
      IfNoneMatch: options.ifAbsent ? "*" : undefined,
      ...commonOptions(options),
    });
    signPayload(command, options.signedSha256);
    return resultOf(await this.#send(command, signal, body.length));
  }

  async get(
    key: string,
    range: { start: number; end: number; versionId?: string; total?: number; into?: Uint8Array },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { start, end, versionId } = range;
    if (!(start >= 0 && end > start)) throw new RangeError(`Cannot read bytes ${start} to ${end} of "${key}"`);
    const command = new this.#sdk.GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Range: `bytes=${start}-${end - 1}`,
      VersionId: versionId,
    });
    return await this.#within(signal, end - start, async (bounded) => {
      const answer = await this.#client.send(command, { abortSignal: bounded });
      return await readExactly(answer, range, bounded);
    });
  }

  async *list(
    prefix: string,
    signal: AbortSignal,
    options: { startAfter?: string } = {},
  ): AsyncGenerator<ListedObject> {
    let token: string | undefined;
    do {
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        // XML cannot hold every key; encoded ones arrive as they are.
        EncodingType: "url",
        ContinuationToken: token,
        StartAfter: token === undefined ? options.startAfter : undefined,
      });
      const page: Sdk.ListObjectsV2CommandOutput = await this.#send(command, signal);
      const decode = page.EncodingType === "url" ? decodeKey : (key: string) => key;
      for (const object of page.Contents ?? []) {
        if (object.Key === undefined || object.Size === undefined) {
          throw new ObjectStoreError("unsupported", "an entry of a listing has no key or no size");
        }
        yield {
          key: decode(object.Key),
          size: object.Size,
          etag: bareEtag(object.ETag),
          storageClass: object.StorageClass ?? null,
        };
      }
      token = page.IsTruncated ? nextWithin(page.NextContinuationToken, token) : undefined;
    } while (token !== undefined);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#send(new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: key }), signal);
  }

  async createUpload(
    key: string,
    options: Omit<PutOptions, "sha256" | "ifAbsent" | "signedSha256">,
    signal: AbortSignal,
  ): Promise<string> {
    const command = new this.#sdk.CreateMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      ChecksumAlgorithm: "SHA256",
      ...commonOptions(options),
    });
    const answer: Sdk.CreateMultipartUploadCommandOutput = await this.#send(command, signal);
    if (answer.UploadId) return answer.UploadId;
    throw new ObjectStoreError("unsupported", "no upload id in the answer");
  }

  async uploadPart(
    key: string,
    uploadId: string,
    part: { number: number; body: Uint8Array; sha256: string; signedSha256?: string },
    signal: AbortSignal,
  ): Promise<PutResult> {
    const command = new this.#sdk.UploadPartCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: part.number,
      Body: part.body,
      ContentLength: part.body.length,
      ChecksumSHA256: part.sha256,
    });
    signPayload(command, part.signedSha256);
    return resultOf(await this.#send(command, signal, part.body.length));
  }

  async *listParts(key: string, uploadId: string, signal: AbortSignal): AsyncGenerator<ListedPart> {
    let marker: string | undefined;
    do {
      const command = new this.#sdk.ListPartsCommand({
        Bucket: this.#bucket,
        Key: key,
        UploadId: uploadId,
        PartNumberMarker: marker,
      });
      const page: Sdk.ListPartsCommandOutput = await this.#send(command, signal);
      for (const part of page.Parts ?? []) {
        if (part.PartNumber === undefined || part.Size === undefined) {
          throw new ObjectStoreError("unsupported", "an entry of a list of parts has no number or no size");
        }
        yield {
          number: part.PartNumber,
          size: part.Size,
          etag: bareEtag(part.ETag),
          sha256: part.ChecksumSHA256 || null,
        };
      }
      marker = page.IsTruncated ? nextWithin(page.NextPartNumberMarker, marker) : undefined;
    } while (marker !== undefined);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly PartRef[],
    options: { ifAbsent?: boolean; sha256?: string },
    signal: AbortSignal,
  ): Promise<PutResult> {
    const command = new this.#sdk.CompleteMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: uploadId,
      ChecksumSHA256: options.sha256,
      IfNoneMatch: options.ifAbsent ? "*" : undefined,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sha256 }) => ({
          PartNumber: number,
          ETag: etag ?? undefined,
          ChecksumSHA256: sha256,
        })),
      },
    });
    return resultOf(await this.#send(command, signal));
  }

  async abortUpload(key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    const command = new this.#sdk.AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId });
    await this.#send(command, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  // deno-lint-ignore no-explicit-any
  #send(command: AnyCommand, signal: AbortSignal, bodyBytes = 0): Promise<any> {
    return this.#within(signal, bodyBytes, (bounded) => this.#client.send(command, { abortSignal: bounded }));
  }

  /** Runs one request within its time; the answer's body is part of it. */
  async #within<T>(signal: AbortSignal, bytes: number, act: (bounded: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const bounded = new AbortController();
    const ms = this.#requestTimeoutMs + Math.ceil(bytes / SLOWEST_BYTES_PER_SECOND) * 1000;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      bounded.abort();
    }, ms);
    const follow = () => bounded.abort();
    signal.addEventListener("abort", follow, { once: true });
    try {
      return await act(bounded.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (late) {
        throw new ObjectStoreError("unreachable", `no answer within ${Math.round(ms / 1000)} s`, { cause: error });
      }
      throw storeError(error, Date.now());
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", follow);
    }
  }
}

function commonOptions(options: Pick<PutOptions, "metadata" | "storageClass">) {
  return { Metadata: options.metadata, StorageClass: options.storageClass as Sdk.StorageClass | undefined };
}

function resultOf(answer: { ETag?: string; VersionId?: string; ChecksumSHA256?: string }): PutResult {
  // A bucket that once kept versions calls the present one "null".
  const versionId = answer.VersionId && answer.VersionId !== "null" ? answer.VersionId : null;
  return { etag: bareEtag(answer.ETag), versionId, sha256: answer.ChecksumSHA256 || null };
}

function bareEtag(etag: string | undefined): string | null {
  return etag?.replace(/^(?:W\/)?"|"$/g, "") || null;
}

function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}

/** Spares a second hash of a body whose SHA-256 the caller has. */
function signPayload(command: AnyCommand, sha256: string | undefined): void {
  if (sha256 === undefined) return;
  const hex = Array.from(atob(sha256), (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  // deno-lint-ignore no-explicit-any
  const sign = (next: any) => (args: any) => {
    args.request.headers["x-amz-content-sha256"] = hex;
    return next(args);
  };
  command.middlewareStack.add(sign, { step: "build", name: "labferrySignPayload" });
}

/** Notes the `Date` header of a command's answer. */
function watchDate(command: AnyCommand): () => Date | null {
  let date: Date | undefined;
  // deno-lint-ignore no-explicit-any
  const watch = (next: any) => async (args: any) => {
    const result = await next(args);
    date = parseDate(result.response?.headers?.date);
    return result;
  };
  command.middlewareStack.add(watch, { step: "deserialize", priority: "low", name: "labferryWatchDate" });
  return () => date ?? null;
}
