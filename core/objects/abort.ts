/**
 * Gives up multipart uploads of our own, so that the store frees their parts. Uploads of others are never touched.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { OpenUpload } from "../journal/journal.ts";
import { ObjectStoreError } from "./object_store.ts";
import { inWords, type ObjectSession, request } from "./session.ts";

/** Parts that were on their way may arrive behind an abort, which must then be repeated. */
const ABORT_ROUNDS = 3;

/** An upload nobody went on with for this long (ms) is not resumed: its study is gone, or was renamed. */
const OLD_MS = 7 * 86_400_000;

/** Aborts one upload until the store no longer lists it, then strikes it from the journal. */
export async function abandon(session: ObjectSession, upload: OpenUpload): Promise<void> {
  const { store, uploads, signal } = session;
  const { key, uploadId } = upload;
  for (let round = 1; round <= ABORT_ROUNDS; round++) {
    const gone = await request(session, `give up the upload of "${key}"`, async () => {
      try {
        await store.abortUpload(key, uploadId, signal);
        for await (const _part of store.listParts(key, uploadId, signal)) return false;
        // Listed without parts: nothing is held any more, whatever the store calls it.
        return true;
      } catch (error) {
        if (error instanceof ObjectStoreError && error.kind === "not-found") return true;
        throw error;
      }
    });
    if (gone) return await uploads.remove(store.identity, key);
  }
  throw new ObjectStoreError("unreachable", `the store still lists parts after ${ABORT_ROUNDS} aborts`);
}

/**
 * Gives up the open uploads in the journal that belong to this store: all, those of one incarnation, or those that no
 * run went on with for `olderThanMs`. Returns how many.
 */
export async function abortOurs(
  session: ObjectSession,
  options: { incarnation?: string; olderThanMs?: number } = {},
): Promise<number> {
  const { incarnation, olderThanMs = 0 } = options;
  let aborted = 0;
  for (const upload of await session.uploads.list(session.store.identity, incarnation)) {
    if (session.clock.now() - Date.parse(upload.usedAt) < olderThanMs) continue;
    await inWords(session, { verb: "give up the upload of", key: upload.key }, () => abandon(session, upload));
    aborted++;
  }
  return aborted;
}

/** Gives up uploads that nobody went on with for a week; for the start of a run. What the store refuses is a warning. */
export async function abortOld(session: ObjectSession): Promise<void> {
  const { store, log } = session;
  try {
    const count = await abortOurs(session, { olderThanMs: OLD_MS });
    if (count > 0) log.info(`${store.uri}: ${count} uploads that were broken off over a week ago are given up`);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    log.warn(`${error.message}; the next run tries again`);
  }
}
