/** The checksum sidecar of an item as an object: streamed from the evidence, never held whole. @module */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import { objectUri } from "../objects/keys.ts";
import { proveObject } from "../objects/prove.ts";
import { inWords, request } from "../objects/session.ts";
import type { ObjectSession } from "../objects/session.ts";
import { bytesSource } from "../objects/source.ts";
import type { UploadSource } from "../objects/source.ts";
import { uploadObject } from "../objects/upload.ts";
import { formatSidecarLine, parseSidecar } from "../safety/sidecar.ts";
import type { ItemScope, Seal, SidecarLine } from "./place.ts";
import { assertMayReplace, expectedSeal, provedLines } from "./seal_files.ts";

interface Where {
  place: string;
  key: string;
}

/** Bytes of one ranged read of a sidecar. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Uploads the sidecar. One of an earlier, incomplete attempt gives way; any other never. */
export async function sealObject(session: ObjectSession, scope: ItemScope, where: Where): Promise<Seal> {
  const seal = await expectedSeal(scope, where.place);
  if (!seal) {
    throw new PipelineError(
      "seal/not-proved",
      `Cannot seal "${scope.item.name}" at ${where.place}: not every file is proved there`,
    );
  }
  const standing = await hashObject(session, where.key);
  if (standing !== undefined && standing !== seal.sha256) {
    assertMayReplace(scope, standing, objectUri(session.store.uri, where.key));
    await inWords(
      session,
      { verb: "replace", key: where.key },
      () => request(session, `replace "${where.key}"`, () => session.store.delete(where.key, session.signal)),
    );
  }
  await uploadObject(session, {
    key: where.key,
    source: evidenceSource(scope, { place: where.place, size: seal.bytes, name: where.key }),
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

async function hashObject(session: ObjectSession, key: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  let some = false;
  for await (const bytes of objectBytes(session, key)) {
    some = true;
    hash.update(bytes);
  }
  return some ? hash.digest("hex") : undefined;
}

async function* objectBytes(session: ObjectSession, key: string): AsyncIterable<Uint8Array> {
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

/** An upload source that makes the sidecar's text anew from the evidence each time it is opened. */
function evidenceSource(
  scope: ItemScope,
  { place, size, name }: { place: string; size: number; name: string },
): UploadSource {
  const { stat } = bytesSource(name, new Uint8Array(0));
  const identity = async () => ({ ...(await stat())!, size });
  return {
    name,
    size,
    stat: identity,
    open() {
      const lines = provedLines(scope, place)[Symbol.asyncIterator]();
      let rest: Uint8Array = new Uint8Array(0);
      return Promise.resolve({
        async read(buffer: Uint8Array) {
          if (rest.length === 0) {
            const next = await lines.next();
            if (next.done) return 0;
            rest = new TextEncoder().encode(`${formatSidecarLine(next.value.sha256, next.value.path)}\n`);
          }
          const piece = rest.subarray(0, buffer.length);
          buffer.set(piece);
          rest = rest.subarray(piece.length);
          return piece.length;
        },
        stat: identity,
        async [Symbol.asyncDispose]() {
          await lines.return?.();
        },
      });
    },
  };
}
