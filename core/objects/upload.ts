/**
 * Uploads one object, once: never over another, in one request or in parts, and shows what came of it (SAFETY S8, S9).
 * @module
 */
import type { ChangeIdentity } from "../evidence.ts";
import type { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import { existing, finish, mustBe, objectMetadata, type UploadedObject, type UploadRequest } from "./_outcome.ts";
import { Gate } from "./budget.ts";
import { choosePartSize, hexToBase64 } from "./checksum.ts";
import { linkedAbort } from "./_linked_abort.ts";
import { uploadInParts } from "./multipart.ts";
import { type ObjectInfo, ObjectStoreError, type PutResult } from "./object_store.ts";
import { type ExpectedObject, proveSent } from "./prove.ts";
import { inWords, type ObjectSession, request, SMALL_PER_LARGE, weightOf } from "./session.ts";
import { SourcePass, type UploadSource } from "./source.ts";

export type { UploadedObject, UploadRequest } from "./_outcome.ts";

/**
 * Uploads one object and proves it as `settings.verify` says. Safe to repeat: an object already there with the same
 * proved bytes is "already there", and parts sent by an earlier run are used again.
 * @throws {PipelineError} `s3/conflict` when other bytes are there, `s3/source-changed`, `s3/mismatch`, and the codes of
 * `explain`
 */
export function uploadObject(session: ObjectSession, upload: UploadRequest): Promise<UploadedObject> {
  return inWords(session, { verb: "upload", key: upload.key }, () => {
    const partSize = choosePartSize(upload.source.size, session.settings.partSize);
    return upload.source.size <= partSize ? uploadWhole(session, upload) : uploadInParts(session, upload, partSize);
  });
}

/** What came of one upload of many. */
export type UploadOutcome =
  & { request: UploadRequest }
  & ({ ok: true; object: UploadedObject } | { ok: false; error: PipelineError });

/**
 * Uploads many objects and yields what came of each as it ends. At most `settings.parallel` bodies are sent at once;
 * of small objects a few more are read and proved meanwhile. One that fails does not stop the others; an aborted signal
 * does.
 */
export async function* uploadMany(
  session: ObjectSession,
  requests: Iterable<UploadRequest> | AsyncIterable<UploadRequest>,
): AsyncGenerator<UploadOutcome> {
  using stop = linkedAbort(session.signal);
  const inner = { ...session, signal: stop.signal };
  const room = new Gate(Math.max(1, session.settings.parallel) * SMALL_PER_LARGE);
  const running = new Set<Promise<void>>();
  const ended: UploadOutcome[] = [];
  const start = (request: UploadRequest, place: Disposable) => {
    const task: Promise<void> = uploadObject(inner, request).then(
      (object) => void ended.push({ request, ok: true, object }),
      (error) => void ended.push({ request, ok: false, error: asKnownError(error, `upload "${request.key}"`) }),
    ).finally(() => {
      running.delete(task);
      place[Symbol.dispose]();
    });
    running.add(task);
  };
  try {
    for await (const request of requests) {
      start(request, await room.enter(session.signal, weightOf(request.source.size)));
      session.signal.throwIfAborted();
      yield* ended.splice(0);
    }
    while (running.size > 0) {
      // Raced before yielding: what is yielded can take so long that nothing is left to wait for.
      await Promise.race(running);
      session.signal.throwIfAborted();
      yield* ended.splice(0);
    }
    session.signal.throwIfAborted();
    yield* ended.splice(0);
  } finally {
    // Also when the caller stops listening: no upload goes on behind its back.
    if (running.size > 0) stop.abort("the uploads were given up");
    await Promise.allSettled(running);
  }
}

type Sent = { kind: "sent"; echo: PutResult } | { kind: "there"; info: ObjectInfo };

async function uploadWhole(session: ObjectSession, upload: UploadRequest): Promise<UploadedObject> {
  const { expected, identity, sent } = await sendWhole(session, upload);
  // The body's memory is given back by now: a proof needs its own.
  if (sent.kind === "sent") {
    return finish(session, { expected, identity, proof: await proveSent(session, expected, sent.echo) });
  }
  return existing(session, { expected, identity, info: sent.info });
}

async function sendWhole(
  session: ObjectSession,
  upload: UploadRequest,
): Promise<{ expected: ExpectedObject; identity: ChangeIdentity; sent: Sent }> {
  const { source, key } = upload;
  const { store, signal, settings } = session;
  using lease = await session.budget.acquire(source.size, signal);
  const body = lease.bytes;
  const { sha256, identity } = await readWhole(source, body);
  mustBe(upload, sha256);
  const expected: ExpectedObject = { key, size: source.size, sha256 };
  const checksum = hexToBase64(sha256);
  const enforced = await session.trust.trusts("put-if-absent", signal);
  const options = {
    metadata: objectMetadata(sha256, upload.mtimeMs),
    sha256: checksum,
    signedSha256: checksum,
    storageClass: settings.storageClass,
    ifAbsent: true,
  };
  const send = async (attempt: number): Promise<Sent> => {
    // Looked at before every try: an earlier one may have succeeded and its answer been lost.
    const info = enforced && attempt === 1 ? undefined : await store.head(key, signal);
    if (info) return { kind: "there", info };
    try {
      return { kind: "sent", echo: await store.put(key, body, options, signal) };
    } catch (error) {
      lease.spoil();
      if (!(error instanceof ObjectStoreError && error.kind === "precondition")) throw error;
      const info = await store.head(key, signal);
      if (info) return { kind: "there", info };
      throw new ObjectStoreError("conflict", "the store says that the key exists and does not show it", {
        cause: error,
      });
    }
  };
  using _pass = await session.gate.enter(signal);
  return { expected, identity, sent: await request(session, `upload "${key}"`, send) };
}

async function readWhole(
  source: UploadSource,
  body: Uint8Array,
): Promise<{ sha256: string; identity: ChangeIdentity }> {
  await using pass = await SourcePass.begin(source);
  await pass.next(body);
  return await pass.finish();
}
