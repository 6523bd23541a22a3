/** ListObjectsV2 and ListBuckets. */
import type { Call, Server } from "./_call.ts";
import { S3Error } from "./_errors.ts";
import { uriEncode } from "./_signature.ts";
import { xml, type XmlContent, xmlResponse } from "./_xml.ts";

const MAX_KEYS = 1000;

export function listObjects({ bucket, bucketName, query }: Call): Response {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after") ?? "";
  const limit = Math.min(MAX_KEYS, Number(query.get("max-keys") ?? MAX_KEYS));
  if (query.get("list-type") !== "2") {
    throw new S3Error(501, "NotImplemented", "Only version 2 of the list is implemented");
  }
  const encode = query.get("encoding-type") === "url"
    ? (key: string) => uriEncode(key).replaceAll("%2F", "/").replaceAll("%20", "+")
    : (key: string) => key;
  const after = token === null ? startAfter : decodeToken(token);

  const objects: XmlContent[] = [];
  const prefixes: XmlContent[] = [];
  let last = after;
  let truncated = false;
  for (const key of bucket.keys(prefix, after)) {
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
    // Keys below a common prefix that was given already are passed over, also on the next page.
    if (common !== undefined && last.startsWith(common)) {
      last = key;
      continue;
    }
    if (objects.length + prefixes.length >= limit) {
      truncated = true;
      break;
    }
    last = key;
    if (common !== undefined) prefixes.push({ Prefix: encode(common) });
    else {
      const { etag, size, modified, storageClass } = bucket.get(key)!;
      const LastModified = new Date(modified).toISOString();
      objects.push({ Key: encode(key), LastModified, ETag: `"${etag}"`, Size: size, StorageClass: storageClass });
    }
  }
  return xmlResponse(xml("ListBucketResult", {
    Name: bucketName,
    Prefix: encode(prefix),
    Delimiter: delimiter || undefined,
    MaxKeys: limit,
    KeyCount: objects.length + prefixes.length,
    IsTruncated: truncated,
    EncodingType: query.get("encoding-type") === "url" ? "url" : undefined,
    NextContinuationToken: truncated ? encodeToken(last) : undefined,
    Contents: objects,
    CommonPrefixes: prefixes,
  }));
}

function encodeToken(key: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(key)));
}

function decodeToken(token: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(token), (char) => char.charCodeAt(0)));
  } catch (cause) {
    throw Object.assign(new S3Error(400, "InvalidArgument", "The continuation token provided is incorrect"), { cause });
  }
}

export function listBuckets(server: Server): Response {
  return xmlResponse(xml("ListAllMyBucketsResult", {
    Owner: { ID: "demo", DisplayName: "demo" },
    Buckets: { Bucket: [...server.buckets.keys()].map((Name) => ({ Name, CreationDate: new Date(0).toISOString() })) },
  }));
}
