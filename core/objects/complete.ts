/**
 * Completes a multipart upload without ever replacing an object, and judges an unclear outcome by what is there.
 * @module
 */
import { compositeSha256 } from "./checksum.ts";
import { type ObjectInfo, ObjectStoreError, type PartRef, type PutResult } from "./object_store.ts";
import type { ExpectedObject } from "./prove.ts";
import { type ObjectSession, request } from "./session.ts";

/** Either the store's answer, or the object found under the key; `foreign` when it cannot be of this upload. */
export type Completed = { kind: "sent"; echo: PutResult } | { kind: "there"; info: ObjectInfo; foreign: boolean };

/**
 * Completes an upload. Where the store does not enforce `If-None-Match` the key is looked at just before; after any
 * failure that leaves open whether the object was made, the key is looked at just after.
 */
export async function completeInParts(
  session: ObjectSession,
  upload: { expected: ExpectedObject; uploadId: string; parts: readonly PartRef[] },
): Promise<Completed> {
  const { store, signal, trust } = session;
  const { expected: { key }, uploadId, parts } = upload;
  const enforced = await trust.trusts("complete-if-absent", signal);
  const sha256 = compositeSha256(parts.map((part) => part.sha256));
  return await request(session, `complete the upload of "${key}"`, async (attempt): Promise<Completed> => {
    if (!enforced || attempt > 1) {
      const info = await store.head(key, signal);
      if (info) return { kind: "there", info, foreign: attempt === 1 };
    }
    try {
      return {
        kind: "sent",
        echo: await store.completeUpload(key, uploadId, parts, { ifAbsent: true, sha256 }, signal),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ObjectStoreError) || error.kind === "denied" || error.kind === "clock-skew") throw error;
      const info = await store.head(key, signal);
      if (info) return { kind: "there", info, foreign: attempt === 1 && error.kind === "precondition" };
      throw unclear(error);
    }
  });
}

/** What a failed Complete means once the key was seen to be free. */
function unclear(error: ObjectStoreError): ObjectStoreError {
  const options = { cause: error, status: error.status, serverDate: error.serverDate };
  if (error.kind === "not-found") {
    // A Complete whose answer was lost may still be at work: the upload is gone, the object not yet there.
    return new ObjectStoreError(
      "unreachable",
      `the upload is gone and its object is not there: ${error.message}`,
      options,
    );
  }
  if (error.kind !== "precondition") return error;
  return new ObjectStoreError("conflict", `the store says that the key exists and does not show it`, options);
}
