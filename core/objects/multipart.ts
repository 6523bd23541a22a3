/**
 * Uploads one object in parts: parallel, in bounded memory, taken up again after a restart (SAFETY S9).
 * @module
 */
import type { ChangeIdentity } from "../evidence.ts";
import { PipelineError } from "../errors.ts";
import { linkedAbort } from "./_linked_abort.ts";
import { existing, finish, mustBe, objectMetadata, type UploadedObject, type UploadRequest } from "./_outcome.ts";
import type { Lease } from "./budget.ts";
import { abandon } from "./abort.ts";
import { choosePartSize, countParts, md5Hex, sha256Base64 } from "./checksum.ts";
import { completeInParts } from "./complete.ts";
import { type ListedPart, type ObjectInfo, ObjectStoreError, type PartRef } from "./object_store.ts";
import { type ExpectedObject, proveSent } from "./prove.ts";
import { type ObjectSession, request } from "./session.ts";
import { hashSource, SourcePass } from "./source.ts";

/** How often, in ms, the journal is told that an upload is gone on with. */
const TOUCH_MS = 10 * 60_000;

/** A multipart upload under way. */
interface Upload {
  id: string;
  partSize: number;
  /** Parts an earlier run sent, by number. */
  listed: Map<number, ListedPart>;
  /** When the journal was last told of it, in ms since 1970. */
  touchedAt: number;
}

/** Uploads `upload.source` in parts of `wantedPartSize` bytes, or of those an earlier run began with. */
export async function uploadInParts(
  session: ObjectSession,
  upload: UploadRequest,
  wantedPartSize: number,
): Promise<UploadedObject> {
  const { source, key } = upload;
  const { budget, signal } = session;
  const there = await head(session, key);
  if (there) {
    // Most likely ours, of a run that ended before it could say so: then it is cut as the journal says.
    const partSize = (await session.uploads.get(session.store.identity, key))?.partSize ?? wantedPartSize;
    const { identity, sha256, parts } = await hashSource(source, { partSize, budget, signal });
    mustBe(upload, sha256);
    const expected = { key, size: source.size, sha256, parts };
    const object = await existing(session, { expected, identity, info: there, partSize });
    await forget(session, key);
    return object;
  }
  const sha256 = upload.sha256 ?? (await hashSource(source, { partSize: wantedPartSize, budget, signal })).sha256;
  const open = await takeUp(session, { ...upload, sha256 }) ??
    await begin(session, { upload, sha256, partSize: wantedPartSize });
  const { partSize } = open;
  if (partSize > budget.total) {
    const mib = Math.ceil(partSize / 2 ** 20);
    session.log.warn(`"${key}" has ${source.size} bytes and 10,000 parts at most: each takes ${mib} MiB of memory`);
  }
  try {
    const sent = await sendParts(session, { ...upload, sha256 }, open);
    const expected: ExpectedObject = { key, size: source.size, sha256, parts: sent.parts.map((part) => part.sha256) };
    const done = await completeInParts(session, { expected, uploadId: open.id, parts: sent.parts });
    if (done.kind === "there") {
      const { identity } = sent;
      const object = await existing(session, { expected, identity, info: done.info, partSize });
      await forget(session, key);
      return { ...object, existed: done.foreign };
    }
    const proof = await proveSent(session, expected, done.echo);
    await session.uploads.remove(session.store.identity, key);
    return finish(session, { expected, identity: sent.identity, proof, partSize });
  } catch (error) {
    if (!signal.aborted && isHopeless(error)) await forget(session, key);
    throw error;
  }
}

/** Whether an upload has failed in a way that no later run can go on from. */
function isHopeless(error: unknown): boolean {
  if (error instanceof PipelineError) return true;
  return error instanceof ObjectStoreError &&
    ["not-found", "precondition", "conflict", "bad-request", "unsupported"].includes(error.kind);
}

function head(session: ObjectSession, key: string): Promise<ObjectInfo | undefined> {
  return request(session, `look at "${key}"`, () => session.store.head(key, session.signal));
}

/**
 * The upload an earlier run of the same content left open, if the store still has it. One that would end with other
 * metadata is given up: a store takes that when an upload begins, and never again.
 */
async function takeUp(session: ObjectSession, upload: UploadRequest & { sha256: string }): Promise<Upload | undefined> {
  const { store, uploads, signal, log } = session;
  const row = await uploads.get(store.identity, upload.key);
  if (!row) return undefined;
  const { mtime = null } = objectMetadata(upload.sha256, upload.mtimeMs);
  const fits = choosePartSize(upload.source.size, row.partSize) === row.partSize;
  const same = row.incarnation === upload.incarnation && row.sha256 === upload.sha256 && row.mtime === mtime;
  if (!same || !fits) {
    await forget(session, upload.key);
    return undefined;
  }
  try {
    const listed = await request(session, `list the parts of "${upload.key}"`, async () => {
      const parts = new Map<number, ListedPart>();
      for await (const part of store.listParts(upload.key, row.uploadId, signal)) parts.set(part.number, part);
      return parts;
    });
    log.info(`Going on with the upload of "${upload.key}"`, { parts: listed.size, since: row.startedAt });
    const open = { id: row.uploadId, partSize: row.partSize, listed, touchedAt: -Infinity };
    await touch(session, upload.key, open);
    return open;
  } catch (error) {
    if (!(error instanceof ObjectStoreError && error.kind === "not-found")) throw error;
    await uploads.remove(store.identity, upload.key);
    return undefined;
  }
}

async function begin(
  session: ObjectSession,
  begun: { upload: UploadRequest; sha256: string; partSize: number },
): Promise<Upload> {
  const { store, uploads, clock, signal, settings } = session;
  const { upload: { key, mtimeMs, incarnation }, sha256, partSize } = begun;
  const metadata = objectMetadata(sha256, mtimeMs);
  const options = { metadata, storageClass: settings.storageClass };
  const id = await request(session, `begin the upload of "${key}"`, () => store.createUpload(key, options, signal));
  const touchedAt = clock.now();
  const usedAt = new Date(touchedAt).toISOString();
  const { mtime = null } = metadata;
  const content = { incarnation, sha256, mtime };
  await uploads.put({ store: store.identity, key, uploadId: id, partSize, startedAt: usedAt, usedAt, ...content });
  return { id, partSize, listed: new Map(), touchedAt };
}

/** Keeps an upload that goes on from being taken for one that was left, however long it takes. */
async function touch({ store, uploads, clock }: ObjectSession, key: string, open: Upload): Promise<void> {
  const now = clock.now();
  if (Math.abs(now - open.touchedAt) < TOUCH_MS) return;
  open.touchedAt = now;
  await uploads.touch({ store: store.identity, key, uploadId: open.id }, new Date(now).toISOString());
}

/** Gives an upload up: the store frees its parts. A failure is left to `abortOurs`, which finds it in the journal. */
async function forget(session: ObjectSession, key: string): Promise<void> {
  const { store, uploads, log } = session;
  const row = await uploads.get(store.identity, key);
  if (!row) return;
  try {
    await abandon(session, row);
  } catch (error) {
    session.signal.throwIfAborted();
    log.warn(`Cannot give up the upload of "${key}"; it is tried again later`, { reason: String(error) });
  }
}

/** Reads the source once from end to end and sends every part the store does not provably have. */
async function sendParts(
  session: ObjectSession,
  upload: UploadRequest,
  open: Upload,
): Promise<{ parts: PartRef[]; identity: ChangeIdentity }> {
  const { source } = upload;
  using stop = linkedAbort(session.signal);
  const inner = { ...session, signal: stop.signal };
  const count = countParts(source.size, open.partSize);
  const parts: PartRef[] = new Array(count);
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  await using pass = await SourcePass.begin(source);
  try {
    for (let number = 1; number <= count && failures.length === 0; number++) {
      const length = Math.min(open.partSize, source.size - (number - 1) * open.partSize);
      // One part more than can be sent is read ahead, no further: other files need the memory.
      if (running.size > session.settings.parallel) await Promise.race(running);
      const lease = await session.budget.acquire(length, inner.signal);
      try {
        await pass.next(lease.bytes);
      } catch (error) {
        lease[Symbol.dispose]();
        throw error;
      }
      const task: Promise<void> = sendPart(inner, { upload, open, number, lease })
        .then((part) => {
          parts[number - 1] = part;
          return touch(session, upload.key, open);
        })
        .catch((error) => {
          failures.push(error);
          stop.abort("another part failed");
        })
        .finally(() => running.delete(task));
      running.add(task);
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
    const { sha256, identity } = await pass.finish();
    mustBe(upload, sha256);
    return { parts, identity };
  } catch (error) {
    session.signal.throwIfAborted();
    throw failures[0] ?? error;
  } finally {
    stop.abort("the upload has ended");
    await Promise.all(running);
  }
}

async function sendPart(
  session: ObjectSession,
  sending: { upload: UploadRequest; open: Upload; number: number; lease: Lease },
): Promise<PartRef> {
  const { upload: { key }, open, number } = sending;
  using lease = sending.lease;
  const body = lease.bytes;
  const sha256 = await sha256Base64(body);
  const listed = open.listed.get(number);
  if (listed && await isSame(session, listed, { body, sha256 })) return { number, etag: listed.etag, sha256 };
  using _pass = await session.gate.enter(session.signal);
  return await request(session, `upload part ${number} of "${key}"`, async () => {
    try {
      const part = { number, body, sha256, signedSha256: sha256 };
      const echo = await session.store.uploadPart(key, open.id, part, session.signal);
      if (echo.sha256 !== null && echo.sha256 !== sha256) {
        throw new ObjectStoreError("bad-digest", `the store got other bytes of part ${number} than were sent`);
      }
      return { number, etag: echo.etag, sha256 };
    } catch (error) {
      lease.spoil();
      throw error;
    }
  });
}

/** Whether a part the store lists has the bytes at hand, by a checksum the store is trusted with. */
async function isSame(
  session: ObjectSession,
  listed: ListedPart,
  local: { body: Uint8Array; sha256: string },
): Promise<boolean> {
  const { trust, signal } = session;
  if (listed.size !== local.body.length) return false;
  if (listed.sha256 !== null) return listed.sha256 === local.sha256 && await trust.trusts("part-checksum", signal);
  return listed.etag !== null && await trust.trusts("part-md5-etag", signal) && md5Hex(local.body) === listed.etag;
}
