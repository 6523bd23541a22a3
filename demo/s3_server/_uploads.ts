/** Multipart uploads: Create, UploadPart, ListParts, Complete, Abort, and their list. */
import { createHash } from "node:crypto";
import { takeBody } from "./_body.ts";
import { removeAll, type StoredPart, type StoredUpload } from "./_bucket.ts";
import type { Call } from "./_call.ts";
import { invalidRequest, noSuchUpload, notImplemented, preconditionFailed, S3Error } from "./_errors.ts";
import { describedBy } from "./_objects.ts";
import { elementsOf, textOf, xml, xmlResponse } from "./_xml.ts";

const MIN_PART_BYTES = 5 * 2 ** 20;
const MAX_PARTS = 10_000;

function uploadOf({ bucket, key, query }: Call): StoredUpload {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (!upload || upload.key !== key) throw noSuchUpload();
  return upload;
}

export function createUpload({ request, bucket, bucketName, key, server }: Call): Response {
  const algorithm = request.headers.get("x-amz-checksum-algorithm");
  if (algorithm !== null && algorithm.toUpperCase() !== "SHA256") throw notImplemented(`The checksum ${algorithm}`);
  if (request.headers.get("x-amz-checksum-type")?.toUpperCase() === "FULL_OBJECT") {
    throw invalidRequest("The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.");
  }
  const id = crypto.randomUUID();
  const checksums = algorithm !== null && !server.faults.ignoresChecksums;
  const initiated = server.now();
  bucket.uploads.set(id, { id, key, checksums, initiated, parts: new Map(), ...describedBy(request.headers) });
  const answer = xmlResponse(xml("InitiateMultipartUploadResult", { Bucket: bucketName, Key: key, UploadId: id }));
  if (checksums) answer.headers.set("x-amz-checksum-algorithm", "SHA256");
  return answer;
}

export async function uploadPart(call: Call): Promise<Response> {
  const { request, query, server, bucket } = call;
  const upload = uploadOf(call);
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
    throw new S3Error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const { blob, md5, sha256 } = await takeBody(request, server.storage, server.faults);
  if (!bucket.uploads.has(upload.id)) {
    await blob.remove();
    throw noSuchUpload();
  }
  const before = upload.parts.get(number);
  upload.parts.set(number, { number, blob, etag: md5, sha256, modified: server.now() });
  await before?.blob.remove();
  const headers = { etag: `"${md5}"`, ...(sha256 === undefined ? {} : { "x-amz-checksum-sha256": sha256 }) };
  return new Response(null, { headers });
}

export function listParts(call: Call): Response {
  const { query, key, bucketName } = call;
  const upload = uploadOf(call);
  const marker = Number(query.get("part-number-marker") ?? 0);
  const limit = Math.min(1000, Number(query.get("max-parts") ?? 1000));
  const rest = [...upload.parts.values()].filter(({ number }) => number > marker).sort((a, b) => a.number - b.number);
  const page = rest.slice(0, limit);
  return xmlResponse(xml("ListPartsResult", {
    Bucket: bucketName,
    Key: key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? marker,
    MaxParts: limit,
    IsTruncated: rest.length > limit,
    ChecksumAlgorithm: upload.checksums ? "SHA256" : undefined,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modified).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.blob.size,
      ChecksumSHA256: part.sha256,
    })),
  }));
}

export async function completeUpload(call: Call): Promise<Response> {
  const { request, bucket, bucketName, key, server } = call;
  const asked = await request.text();
  const upload = uploadOf(call);
  const onlyNew = request.headers.get("if-none-match") === "*" && !server.faults.ignoresIfNoneMatchOnComplete;
  if (onlyNew && bucket.get(key)) throw preconditionFailed();
  const parts = elementsOf(asked, "Part").map((element) => chosenPart(upload, element));
  checkOrder(parts);
  const sha256 = upload.checksums ? composite(parts) : undefined;
  checkComposite(request, sha256, server.faults.lies);
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.etag, "hex");
  const etag = `${md5.digest("hex")}-${parts.length}`;
  const { metadata, storageClass, contentType } = upload;
  const blobs = parts.map(({ blob }) => blob);
  const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
  bucket.uploads.delete(upload.id);
  await bucket.set({ key, blobs, size, etag, sha256, metadata, storageClass, contentType, modified: server.now() });
  await removeAll([...upload.parts.values()].filter((part) => !parts.includes(part)).map(({ blob }) => blob));
  return xmlResponse(xml("CompleteMultipartUploadResult", {
    Location: `/${bucketName}/${key}`,
    Bucket: bucketName,
    Key: key,
    ETag: `"${etag}"`,
    ChecksumSHA256: sha256,
    ChecksumType: sha256 === undefined ? undefined : "COMPOSITE",
  }));
}

function chosenPart(upload: StoredUpload, element: string): StoredPart {
  const part = upload.parts.get(Number(textOf(element, "PartNumber")));
  const etag = textOf(element, "ETag")?.replaceAll('"', "");
  const sha256 = textOf(element, "ChecksumSHA256");
  if (upload.checksums && sha256 === undefined) {
    throw invalidRequest(
      "The upload was created using a sha256 checksum. The complete request must include the checksum for each part.",
    );
  }
  if (!part || part.etag !== etag || (upload.checksums && part.sha256 !== sha256)) {
    throw new S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.");
  }
  return part;
}

function checkOrder(parts: readonly StoredPart[]): void {
  if (parts.length === 0) throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed");
  if (parts.some((part, index) => index > 0 && parts[index - 1].number >= part.number)) {
    throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
  }
  if (parts.slice(0, -1).some((part) => part.blob.size < MIN_PART_BYTES)) {
    throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
  }
}

function composite(parts: readonly StoredPart[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part.sha256!, "base64");
  return `${hash.digest("base64")}-${parts.length}`;
}

/** The composite a client expects may stand with or without the number of parts. */
function checkComposite(request: Request, sha256: string | undefined, lies: boolean): void {
  const expected = request.headers.get("x-amz-checksum-sha256");
  if (expected === null || sha256 === undefined || lies) return;
  if (expected !== sha256 && expected !== sha256.slice(0, sha256.indexOf("-"))) {
    throw new S3Error(400, "BadDigest", "The sha256 you specified did not match the calculated checksum.");
  }
}

export async function abortUpload(call: Call): Promise<Response> {
  const upload = uploadOf(call);
  call.bucket.uploads.delete(upload.id);
  await removeAll([...upload.parts.values()].map(({ blob }) => blob));
  return new Response(null, { status: 204 });
}

export function listUploads({ bucket, bucketName, query }: Call): Response {
  const prefix = query.get("prefix") ?? "";
  const uploads = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix));
  return xmlResponse(xml("ListMultipartUploadsResult", {
    Bucket: bucketName,
    IsTruncated: false,
    Upload: uploads.map(({ key, id, initiated }) => ({
      Key: key,
      UploadId: id,
      Initiated: new Date(initiated).toISOString(),
    })),
  }));
}
