/** PutObject, GetObject, HeadObject, DeleteObject. */
import { readAcross } from "./_blobs.ts";
import { takeBody } from "./_body.ts";
import type { StoredObject } from "./_bucket.ts";
import type { Call } from "./_call.ts";
import { noSuchKey, preconditionFailed, S3Error } from "./_errors.ts";

const ARCHIVE_CLASSES = ["GLACIER", "DEEP_ARCHIVE"];

/** What a client says of an object besides its bytes. */
export function describedBy(headers: Headers): Pick<StoredObject, "metadata" | "storageClass" | "contentType"> {
  const metadata: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name.startsWith("x-amz-meta-")) metadata[name.slice("x-amz-meta-".length)] = value;
  });
  return {
    metadata,
    storageClass: headers.get("x-amz-storage-class") ?? "STANDARD",
    contentType: headers.get("content-type") ?? "application/octet-stream",
  };
}

export async function putObject({ request, bucket, key, server }: Call): Promise<Response> {
  if (request.headers.has("x-amz-copy-source")) {
    throw new S3Error(501, "NotImplemented", "CopyObject is not implemented");
  }
  const onlyNew = request.headers.get("if-none-match") === "*";
  if (onlyNew && bucket.get(key)) throw preconditionFailed();
  const { blob, md5, sha256 } = await takeBody(request, server.storage, server.faults);
  if (onlyNew && bucket.get(key)) {
    await blob.remove();
    throw preconditionFailed();
  }
  const modified = server.now();
  await bucket.set({
    key,
    blobs: [blob],
    size: blob.size,
    etag: md5,
    sha256,
    modified,
    ...describedBy(request.headers),
  });
  return new Response(null, { headers: { etag: `"${md5}"`, ...checksumHeaders(sha256) } });
}

function checksumHeaders(sha256: string | undefined): Record<string, string> {
  if (sha256 === undefined) return {};
  return {
    "x-amz-checksum-sha256": sha256,
    "x-amz-checksum-type": sha256.includes("-") ? "COMPOSITE" : "FULL_OBJECT",
  };
}

function objectHeaders(object: StoredObject, request: Request): Record<string, string> {
  const checked = request.headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  return {
    "accept-ranges": "bytes",
    "content-type": object.contentType,
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modified).toUTCString(),
    ...(object.storageClass === "STANDARD" ? {} : { "x-amz-storage-class": object.storageClass }),
    ...Object.fromEntries(Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...(checked ? checksumHeaders(object.sha256) : {}),
  };
}

export function headObject({ request, bucket, key }: Call): Response {
  const object = bucket.get(key);
  if (!object) throw noSuchKey(key);
  return new Response(null, { headers: { "content-length": String(object.size), ...objectHeaders(object, request) } });
}

export function getObject({ request, bucket, key }: Call): Response {
  const object = bucket.get(key);
  if (!object) throw noSuchKey(key);
  if (ARCHIVE_CLASSES.includes(object.storageClass)) {
    throw new S3Error(403, "InvalidObjectState", "The operation is not valid for the object's storage class");
  }
  const range = parseRange(request.headers.get("range"), object.size);
  const { start, end } = range ?? { start: 0, end: object.size };
  const headers: Record<string, string> = {
    ...objectHeaders(object, request),
    "content-length": String(end - start),
    ...(range ? { "content-range": `bytes ${start}-${end - 1}/${object.size}` } : {}),
  };
  return new Response(ReadableStream.from(readAcross(object.blobs, start, end)), {
    status: range ? 206 : 200,
    headers,
  });
}

/** A range that cannot be read as one is ignored; one behind the end is refused. */
function parseRange(header: string | null, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  if (start < end) return { start, end };
  throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable", { ActualObjectSize: String(size) });
}

export async function deleteObject({ bucket, key }: Call): Promise<Response> {
  await bucket.delete(key);
  return new Response(null, { status: 204 });
}
