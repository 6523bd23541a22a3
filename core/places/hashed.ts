/** Evidence of the source (`hashed`) and what is expected of a file at a place. @module */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { ChangeIdentity, Evidence } from "../evidence.ts";
import { itemPath } from "../io/paths.ts";
import { identityOf } from "../safety/incarnation.ts";
import type { ItemScope } from "./place.ts";

/** UUID of the source root's marker, and the instant evidence is stamped with. */
export interface Stamp {
  sourceUuid: string;
  at: string;
}

/** Returns the evidence that a file of the source was read whole between two equal stats. */
export function hashedEvidence(
  scope: ItemScope,
  file: { path: string; size: number; sha256: string; identity: ChangeIdentity },
  stamp: Stamp,
): Evidence {
  return {
    path: file.path,
    size: file.size,
    sha256: file.sha256,
    place: SOURCE_PLACE,
    placeUuid: stamp.sourceUuid,
    uri: itemPath(scope.item.root, file.path),
    level: "proved",
    guarantee: "cached-read",
    at: stamp.at,
    identity: identityOf(file.identity),
  };
}

/** Returns the hashes of the source for these files. @throws {PipelineError} `verify/not-hashed` */
export async function requireHashed(scope: ItemScope, paths: readonly string[]): Promise<Map<string, Evidence>> {
  const hashed = await scope.evidence.getMany(scope.item.id, SOURCE_PLACE, paths);
  const missing = paths.find((path) => !hashed.has(path));
  if (missing === undefined) return hashed;
  throw new PipelineError("verify/not-hashed", `Cannot verify "${missing}": there is no hash of it at the source`, {
    hint: "A stage that reads the source (copy, s3-upload) must stand before this one.",
  });
}

/**
 * SAFETY S3: the source's hash is one for all places. A second reader of the source must find what the first found.
 * @throws {PipelineError} `item/source-changed`
 */
export function assertSameHash(earlier: Evidence | undefined, now: { path: string; sha256: string }): void {
  if (!earlier || earlier.sha256 === now.sha256) return;
  throw new PipelineError(
    "item/source-changed",
    `Cannot go on with "${now.path}": its bytes are not those an earlier stage read (${now.sha256}, then ${earlier.sha256})`,
    { hint: "Something still writes to the study, or the disk gives changing bytes. Run again when it is quiet." },
  );
}
