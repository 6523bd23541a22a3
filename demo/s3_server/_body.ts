/** Takes the body of a request, with the checks of AWS. */
import { createHash } from "node:crypto";
import type { Blob, BlobStorage } from "./_blobs.ts";
import { invalidRequest, notImplemented, S3Error } from "./_errors.ts";
import type { Faults } from "./faults.ts";

/** A body that was kept. */
export interface Taken {
  blob: Blob;
  /** Hex MD5, the ETag. */
  md5: string;
  /** Base64 SHA-256 where the client sent one. */
  sha256: string | undefined;
}

/** A body checksum of another kind is not computed here and must not pass as checked. */
const OTHER_CHECKSUMS = ["crc32", "crc32c", "crc64nvme", "sha1"].map((name) => `x-amz-checksum-${name}`);

/** @throws {S3Error} `BadDigest`, `XAmzContentSHA256Mismatch`, `InvalidRequest`, `IncompleteBody` */
export async function takeBody(request: Request, storage: BlobStorage, faults: Faults): Promise<Taken> {
  const { headers } = request;
  const signed = headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  if (signed.startsWith("STREAMING-")) throw notImplemented("A body in signed chunks");
  const claimed = headers.get("x-amz-checksum-sha256") ?? undefined;
  const trusting = faults.ignoresChecksums || faults.lies;
  if (!trusting) checkForm(headers, claimed);
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  const writer = await storage();
  try {
    let size = 0;
    for await (const chunk of request.body ?? []) {
      sha256.update(chunk);
      md5.update(chunk);
      size += chunk.length;
      await writer.write(chunk);
    }
    const announced = headers.get("content-length");
    if (announced !== null && Number(announced) !== size) {
      throw new S3Error(400, "IncompleteBody", "The body has not the number of bytes that was announced");
    }
    const digest = sha256.digest();
    if (signed !== "UNSIGNED-PAYLOAD" && signed !== digest.toString("hex")) {
      throw new S3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match.");
    }
    if (!trusting && claimed !== undefined && claimed !== digest.toString("base64")) {
      throw new S3Error(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.");
    }
    if (faults.lies && size > 0) await writer.damage(size >> 1);
    const blob = await writer.finish();
    return { blob, md5: md5.digest("hex"), sha256: faults.ignoresChecksums ? undefined : claimed };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

function checkForm(headers: Headers, claimed: string | undefined): void {
  const other = OTHER_CHECKSUMS.find((name) => headers.has(name));
  if (other) throw notImplemented(`The checksum ${other}`);
  if (claimed !== undefined && !/^[A-Za-z0-9+/]{43}=$/.test(claimed)) {
    throw invalidRequest("Value for x-amz-checksum-sha256 header is invalid.");
  }
}
