/**
 * The one way to write over an object: the mirror of a ledger that only grows (SAFETY S12). Data never pass here.
 * @module
 */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import { hexToBase64 } from "./checksum.ts";
import { objectUri } from "./keys.ts";
import { objectMetadata } from "./_outcome.ts";
import { type ObjectProof, proveSent } from "./prove.ts";
import { inWords, type ObjectSession, request } from "./session.ts";

/**
 * Puts `bytes` under `key` in place of what is there, and proves them.
 * @throws {PipelineError} `s3/mirror-shrinks` when the object there is longer, and the codes of `explain`
 */
export function replaceObject(
  session: ObjectSession,
  mirror: { key: string; bytes: Uint8Array; mtimeMs?: number },
): Promise<ObjectProof & { sha256: string }> {
  const { key, bytes, mtimeMs } = mirror;
  return inWords(session, { verb: "mirror", key }, async () => {
    const { store, signal } = session;
    const there = await request(session, `look at "${key}"`, () => store.head(key, signal));
    if (there && there.size > bytes.length) {
      throw new PipelineError(
        "s3/mirror-shrinks",
        `Cannot mirror "${objectUri(store.uri, key)}": it has ${there.size} bytes, wanted at most ${bytes.length}`,
        {
          hint:
            "The ledger here lost lines, or another computer mirrors its own. Compare both before either is removed.",
        },
      );
    }
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const checksum = hexToBase64(sha256);
    const options = { metadata: objectMetadata(sha256, mtimeMs), sha256: checksum, signedSha256: checksum };
    const echo = await request(session, `mirror "${key}"`, () => store.put(key, bytes, options, signal));
    return { ...await proveSent(session, { key, size: bytes.length, sha256 }, echo), sha256 };
  });
}
