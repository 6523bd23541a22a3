import type { BlobStorage } from "./_blobs.ts";
import type { Bucket } from "./_bucket.ts";
import type { Keys } from "./_signature.ts";
import type { Faults } from "./faults.ts";

/** A running endpoint, as its operations see it. */
export interface Server {
  readonly keys: Keys;
  readonly buckets: Map<string, Bucket>;
  readonly storage: BlobStorage;
  readonly faults: Faults;
  /** The server's clock, ms since 1970. */
  now(): number;
}

/** One request to an object or a bucket. */
export interface Call {
  request: Request;
  query: URLSearchParams;
  bucketName: string;
  bucket: Bucket;
  /** Empty for the bucket itself. */
  key: string;
  server: Server;
}
