/**
 * Proves an object that an earlier pipeline wrote, against a hash that is known: by the store's own checksum where the
 * store earned trust, else by reading it back (SAFETY S8). Where the same file is still at hand it is read once, and the
 * hashes of its parts let an object that was sent in parts be judged by its checksum too.
 * @module
 */
import type { ChangeIdentity } from "../evidence.ts";
import { PipelineError } from "../errors.ts";
import { linkedAbort } from "./_linked_abort.ts";
import { choosePartSize, countParts } from "./checksum.ts";
import { objectUri } from "./keys.ts";
import type { ObjectInfo } from "./object_store.ts";
import { judgeExisting, type ObjectProof } from "./prove.ts";
import { inWords, type ObjectSession, request } from "./session.ts";
import { hashSource, type UploadSource } from "./source.ts";

/** An object and what it must hold. */
export interface ArchivedObject {
  key: string;
  /** Hex SHA-256 of all bytes. */
  sha256: string;
  /** The file that is to go, where it is still there. */
  file?: UploadSource;
}

export interface ArchivedProof extends ObjectProof {
  size: number;
  /** The change identity of the file, which holds the very same bytes. */
  identity?: ChangeIdentity;
}

/**
 * Proves objects, `settings.parallel` at once, and returns what was shown in their order. The first failure ends the
 * others.
 * @throws {PipelineError} `backup/object-missing`, `backup/object-differs`, `backup/file-differs`
 */
export async function proveArchivedObjects(
  session: ObjectSession,
  wanted: readonly ArchivedObject[],
): Promise<ArchivedProof[]> {
  using linked = linkedAbort(session.signal);
  const inner = { ...session, signal: linked.signal };
  const proofs: ArchivedProof[] = new Array(wanted.length);
  const left = wanted.entries();
  let failed: { error: unknown } | undefined;
  const work = async () => {
    for (const [index, object] of left) {
      linked.signal.throwIfAborted();
      proofs[index] = await proveArchived(inner, object);
    }
  };
  await Promise.all(
    Array.from({ length: Math.max(1, session.settings.parallel) }, () =>
      work().catch((error) => {
        failed ??= { error };
        linked.abort("another object failed");
      })),
  );
  if (failed) throw failed.error;
  return proofs;
}

async function proveArchived(session: ObjectSession, wanted: ArchivedObject): Promise<ArchivedProof> {
  const { key, sha256, file } = wanted;
  const { store, signal, budget } = session;
  const uri = objectUri(store.uri, key);
  const info = await inWords(
    session,
    { verb: "verify", key },
    () => request(session, `look at "${key}"`, () => store.head(key, signal)),
  );
  if (!info) {
    throw new PipelineError("backup/object-missing", `Cannot count on "${uri}": no such object is there`, {
      hint: KEEP,
    });
  }
  const partSize = choosePartSize(info.size, session.settings.partSize);
  const read = file && await hashSource(file, { partSize, budget, signal });
  if (read && read.sha256 !== sha256) {
    throw new PipelineError(
      "backup/file-differs",
      `Cannot free "${wanted.file?.name}": its bytes are not those of the backup`,
      {
        hint:
          "The file stays. It was changed behind the backup: keep it elsewhere, or restore it from the other place.",
      },
    );
  }
  const parts = read && isCutSo(info, partSize) ? read.parts : undefined;
  const proof = file && file.size !== info.size ? undefined : await inWords(
    session,
    { verb: "verify", key },
    () => judgeExisting(session, { key, size: info.size, sha256, ...(parts ? { parts } : {}) }, info),
  );
  if (!proof) {
    throw new PipelineError(
      "backup/object-differs",
      `Cannot count on "${uri}": its ${info.size} bytes are not those of the backup, wanted SHA-256 ${sha256}`,
      { hint: KEEP },
    );
  }
  return { ...proof, size: info.size, ...(read ? { identity: read.identity } : {}) };
}

const KEEP =
  "The copy that was to go stays, and may be the only good one. Have the store looked at before anything else.";

/** Whether the object's checksum is one over as many parts as this size makes. */
function isCutSo({ sha256, size }: ObjectInfo, partSize: number): boolean {
  const count = /-(\d+)$/.exec(sha256 ?? "")?.[1];
  return count !== undefined && Number(count) === countParts(size, partSize);
}
