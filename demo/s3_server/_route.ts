/** Which operation a request asks for. */
import { Bucket } from "./_bucket.ts";
import type { Call, Server } from "./_call.ts";
import { notImplemented, S3Error } from "./_errors.ts";
import { listBuckets, listObjects } from "./_list.ts";
import { deleteObject, getObject, headObject, putObject } from "./_objects.ts";
import { abortUpload, completeUpload, createUpload, listParts, listUploads, uploadPart } from "./_uploads.ts";

type Operation = (call: Call) => Response | Promise<Response>;

function objectOperation(method: string, query: URLSearchParams): Operation | undefined {
  const upload = query.has("uploadId");
  if (method === "PUT") return upload ? uploadPart : putObject;
  if (method === "GET") return upload ? listParts : getObject;
  if (method === "DELETE") return upload ? abortUpload : deleteObject;
  if (method === "POST") return upload ? completeUpload : query.has("uploads") ? createUpload : undefined;
  return method === "HEAD" ? headObject : undefined;
}

function bucketOperation(method: string, query: URLSearchParams): Operation | undefined {
  if (method === "HEAD") return () => new Response(null);
  if (method === "GET") return query.has("uploads") ? listUploads : listObjects;
  return method === "DELETE" ? deleteBucket : undefined;
}

function deleteBucket({ bucket, bucketName, server }: Call): Response {
  if (!bucket.empty) throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
  server.buckets.delete(bucketName);
  return new Response(null, { status: 204 });
}

function createBucket(server: Server, name: string): Response {
  if (server.buckets.has(name)) {
    throw new S3Error(409, "BucketAlreadyOwnedByYou", "The bucket you tried to create already exists, and you own it.");
  }
  server.buckets.set(name, new Bucket());
  return new Response(null, { headers: { location: `/${name}` } });
}

/** Whether a request completes a multipart upload. */
export function isComplete(method: string, url: URL): boolean {
  return method === "POST" && url.searchParams.has("uploadId");
}

/** Does what a signed request asks for. */
export async function route(request: Request, url: URL, server: Server): Promise<Response> {
  const path = url.pathname.slice(1);
  const slash = path.indexOf("/");
  const bucketName = decodeURIComponent(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? "" : decodeURIComponent(path.slice(slash + 1));
  const { method } = request;
  const query = url.searchParams;
  if (bucketName === "") {
    if (method === "GET") return listBuckets(server);
    throw notImplemented(`${method} /`);
  }
  if (key === "" && method === "PUT" && query.size === 0) return createBucket(server, bucketName);
  const bucket = server.buckets.get(bucketName);
  if (!bucket) {
    throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucketName });
  }
  const operation = (key === "" ? bucketOperation : objectOperation)(method, query);
  if (!operation) throw notImplemented(`${method} ${key === "" ? "of a bucket" : "of an object"}`);
  return await operation({ request, query, bucketName, bucket, key, server });
}
