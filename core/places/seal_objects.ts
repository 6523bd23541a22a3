/** The checksum sidecar of an item as an object: streamed from the evidence, never held whole. @module */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import { objectUri } from "../objects/keys.ts";
import type { ObjectInfo } from "../objects/object_store.ts";
import { proveObject } from "../objects/prove.ts";
import { inWords, request } from "../objects/session.ts";
import type { ObjectSession } from "../objects/session.ts";
import { bytesSource } from "../objects/source.ts";
import type { UploadSource } from "../objects/source.ts";
import { uploadObject } from "../objects/upload.ts";
import { formatSidecarLine, parseSidecar } from "../safety/sidecar.ts";
import type { ItemScope, Seal, SidecarLine } from "./place.ts";
import { expectedSeal, provedLines } from "./seal_files.ts";
import { asideName, assertNotRecorded, isRestated } from "./standing_sidecar.ts";

interface Where {
  place: string;
  key: string;
}

/** Bytes of one ranged read of a sidecar. */
const PIECE_BYTES = 4 * 2 ** 20;

/**
 * Uploads the sidecar. One of an earlier, incomplete attempt gives way; one that says anything the new one does not is
 * kept under another key, and one that is recorded stays.
 */
export async function sealObject(session: ObjectSession, scope: ItemScope, where: Where): Promise<Seal> {
  const seal = await expectedSeal(scope, where.place);
  if (!seal) {
    throw new PipelineError(
      "seal/not-proved",
      `Cannot seal "${scope.item.name}" at ${where.place}: not every file is proved there`,
      { hint: "Run again: what is not proved is proved first." },
    );
  }
  const standing = await hashObject(session, where.key);
  if (standing !== undefined && standing !== seal.sha256) {
    assertNotRecorded(scope, standing, objectUri(session.store.uri, where.key));
    const bytes = objectBytes(session, where.key);
    const lines = parseSidecar(bytes, { name: where.key, signal: scope.signal });
    if (!await isRestated(scope, where.place, lines)) await keepAside(session, scope, { key: where.key, standing });
    await inWords(
      session,
      { verb: "replace", key: where.key },
      () => request(session, `replace "${where.key}"`, () => session.store.delete(where.key, session.signal)),
    );
  }
  await uploadObject(session, {
    key: where.key,
    source: streamSource(where.key, { size: seal.bytes, open: () => sidecarBytes(scope, where.place) }),
    incarnation: scope.item.id,
    sha256: seal.sha256,
  });
  return { sha256: seal.sha256, files: seal.files };
}

/** The seal of an object, if it holds exactly what the evidence makes; its bytes are read to say so. */
export async function sealOfObject(session: ObjectSession, scope: ItemScope, where: Where): Promise<Seal | undefined> {
  const seal = await expectedSeal(scope, where.place);
  if (!seal) return undefined;
  const info = await inWords(
    session,
    { verb: "look at", key: where.key },
    () => request(session, `look at "${where.key}"`, () => session.store.head(where.key, session.signal)),
  );
  if (info?.size !== seal.bytes) return undefined;
  try {
    await proveObject(session, { key: where.key, size: seal.bytes, sha256: seal.sha256 });
  } catch (error) {
    if (error instanceof PipelineError && error.code === "s3/mismatch") return undefined;
    throw error;
  }
  return { sha256: seal.sha256, files: seal.files };
}

/** Lines of a sidecar object with this hash; nothing when there is no such object. */
export async function* readSidecarObject(
  session: ObjectSession,
  { key, expectedSha256 }: { key: string; expectedSha256: string },
): AsyncIterable<SidecarLine> {
  if (await hashObject(session, key) !== expectedSha256) return;
  yield* parseSidecar(objectBytes(session, key), { name: objectUri(session.store.uri, key), expectedSha256 });
}

/** Whether a sidecar object has a hash. It is read once, and again whenever the store names it otherwise. */
export class SidecarObjectLook {
  #seen: { key: string; sha256: string; info: ObjectInfo } | undefined;

  async holds(session: ObjectSession, { key, sha256 }: { key: string; sha256: string }): Promise<boolean> {
    const info = await inWords(
      session,
      { verb: "look at", key },
      () => request(session, `look at "${key}"`, () => session.store.head(key, session.signal)),
    );
    if (!info) return false;
    const seen = this.#seen;
    const same = seen?.key === key && info.etag !== null && seen.info.etag === info.etag &&
      seen.info.versionId === info.versionId && seen.info.size === info.size;
    if (same) return seen.sha256 === sha256;
    const found = await hashObject(session, key);
    if (found === undefined) return false;
    this.#seen = { key, sha256: found, info };
    return found === sha256;
  }
}

async function hashObject(session: ObjectSession, key: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  let some = false;
  for await (const bytes of objectBytes(session, key)) {
    some = true;
    hash.update(bytes);
  }
  return some ? hash.digest("hex") : undefined;
}

async function* objectBytes(session: ObjectSession, key: string): AsyncGenerator<Uint8Array> {
  const { store, signal } = session;
  const info = await inWords(
    session,
    { verb: "look at", key },
    () => request(session, `look at "${key}"`, () => store.head(key, signal)),
  );
  if (!info) return;
  for (let start = 0; start < info.size; start += PIECE_BYTES) {
    const range = { start, end: Math.min(info.size, start + PIECE_BYTES), total: info.size };
    yield await inWords(
      session,
      { verb: "read", key },
      () => request(session, `read "${key}"`, () => store.get(key, range, signal)),
    );
  }
}

async function keepAside(
  session: ObjectSession,
  scope: ItemScope,
  { key, standing }: { key: string; standing: string },
): Promise<void> {
  const aside = asideName(key, standing);
  const uri = objectUri(session.store.uri, key);
  scope.log.warn(`"${uri}" lists other files than this backup; it is kept as "${objectUri(session.store.uri, aside)}"`);
  let size = 0;
  for await (const bytes of objectBytes(session, key)) size += bytes.length;
  const source = streamSource(uri, { size, open: () => objectBytes(session, key) });
  await uploadObject(session, { key: aside, source, incarnation: scope.item.id, sha256: standing });
}

async function* sidecarBytes(scope: ItemScope, place: string): AsyncGenerator<Uint8Array> {
  for await (const { path, sha256 } of provedLines(scope, place)) {
    yield new TextEncoder().encode(`${formatSidecarLine(sha256, path)}\n`);
  }
}

/** An upload source whose bytes are made anew each time it is opened. */
function streamSource(
  name: string,
  { size, open }: { size: number; open: () => AsyncGenerator<Uint8Array> },
): UploadSource {
  const { stat } = bytesSource(name, new Uint8Array(0));
  const identity = async () => ({ ...(await stat())!, size });
  return {
    name,
    size,
    stat: identity,
    open() {
      const pieces = open();
      let rest: Uint8Array = new Uint8Array(0);
      return Promise.resolve({
        async read(buffer: Uint8Array) {
          while (rest.length === 0) {
            const next = await pieces.next();
            if (next.done) return 0;
            rest = next.value;
          }
          const piece = rest.subarray(0, buffer.length);
          buffer.set(piece);
          rest = rest.subarray(piece.length);
          return piece.length;
        },
        stat: identity,
        async [Symbol.asyncDispose]() {
          await pieces.return(undefined);
        },
      });
    },
  };
}
