/**
 * What is asked of an upload and what comes of it, for objects sent whole and in parts alike.
 * @module
 */
import type { ChangeIdentity, Guarantee } from "../evidence.ts";
import { PipelineError } from "../errors.ts";
import { compositeSha256 } from "./checksum.ts";
import { objectUri } from "./keys.ts";
import type { ObjectInfo } from "./object_store.ts";
import { type ExpectedObject, judgeExisting, type ObjectProof } from "./prove.ts";
import type { ObjectSession } from "./session.ts";
import { sourceChanged, type UploadSource } from "./source.ts";

/** What to upload. */
export interface UploadRequest {
  key: string;
  source: UploadSource;
  /** Of the item, so that a half-done upload is taken up by the same content only. */
  incarnation: string;
  /** Hex SHA-256 the source must have, from its `hashed` evidence; without it the source is hashed first. */
  sha256?: string;
  /** Kept as metadata. */
  mtimeMs?: number | null;
}

/** An object that is there. */
export interface UploadedObject extends ObjectProof {
  key: string;
  /** `s3://bucket/key`. */
  uri: string;
  size: number;
  /** Hex SHA-256 of the whole object. */
  sha256: string;
  guarantee: Guarantee;
  /** For an object in parts: bytes of a part, and the composite checksum `base64-N`. */
  partSize?: number;
  composite?: string;
  /** Whether it was there already, with the same bytes. */
  existed: boolean;
  /** The source's change identity at both ends of its hashing. */
  identity: ChangeIdentity;
  /** When, ISO 8601 UTC. */
  at: string;
}

/** Returns the metadata of an object: ours, for people and for restores, and never evidence. */
export function objectMetadata(sha256: string, mtimeMs: number | null | undefined): { sha256: string; mtime?: string } {
  if (mtimeMs === null || mtimeMs === undefined) return { sha256 };
  return { sha256, mtime: new Date(mtimeMs).toISOString() };
}

/** @throws {PipelineError} `s3/source-changed` when the source is not what its evidence says. */
export function mustBe(upload: UploadRequest, sha256: string): void {
  if (upload.sha256 === undefined || upload.sha256 === sha256) return;
  throw sourceChanged(upload.source, `its SHA-256 is ${sha256} and was ${upload.sha256}`);
}

/**
 * What came of an object that was there before us: the same bytes, or a conflict.
 * @throws {PipelineError} `s3/conflict`
 */
export async function existing(
  session: ObjectSession,
  found: {
    expected: ExpectedObject;
    identity: ChangeIdentity;
    info: ObjectInfo;
    partSize?: number;
  },
): Promise<UploadedObject> {
  const { expected, identity, info, partSize } = found;
  const proof = await judgeExisting(session, expected, info);
  if (proof) return finish(session, { expected, identity, proof, partSize, existed: true });
  const uri = objectUri(session.store.uri, expected.key);
  throw new PipelineError(
    "s3/conflict",
    `Cannot upload "${uri}": an object with other bytes is there (${info.size} bytes), wanted ${expected.size} bytes ` +
      `with SHA-256 ${expected.sha256}`,
    { hint: "Nothing was overwritten. Find out where the other object comes from before it is removed or renamed." },
  );
}

/** Returns the record of an object that was shown to be there. */
export function finish(
  session: ObjectSession,
  shown: {
    expected: ExpectedObject;
    identity: ChangeIdentity;
    proof: ObjectProof;
    partSize?: number;
    existed?: boolean;
  },
): UploadedObject {
  const { expected, identity, proof, partSize, existed = false } = shown;
  const { key, size, sha256, parts } = expected;
  // How an object that was there before is cut is known only where its checksum showed it.
  const cut = parts && (!existed || proof.guarantee === "server-checksum");
  return {
    key,
    uri: objectUri(session.store.uri, key),
    size,
    sha256,
    ...proof,
    ...(cut ? { partSize, composite: compositeSha256(parts) } : {}),
    existed,
    identity,
    at: new Date(session.clock.now()).toISOString(),
  };
}
