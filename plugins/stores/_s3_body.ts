/** Reads answers of the S3 client to the last byte, and not one more or less. */
import type * as Sdk from "@aws-sdk/client-s3";
import { ObjectStoreError } from "../../core/objects/object_store.ts";

/** The body of an answer: a stream that can be given up. */
type Body = AsyncIterable<Uint8Array> & { destroy?(): void };

/**
 * Reads the bytes `start` to `end` that were asked for. The body is read to its end or given up on every way out, so
 * that its connection is free.
 */
export async function readExactly(
  answer: Pick<Sdk.GetObjectCommandOutput, "Body" | "ContentLength" | "ContentRange">,
  range: { start: number; end: number; total?: number },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body = answer.Body as unknown as Body | undefined;
  if (!body) throw new ObjectStoreError("unreachable", "no body in the answer");
  const giveUp = () => body.destroy?.();
  signal.addEventListener("abort", giveUp, { once: true });
  let whole = false;
  try {
    mustBeOfRange(answer, range);
    const bytes = new Uint8Array(range.end - range.start);
    let filled = 0;
    for await (const chunk of body) {
      if (filled + chunk.length > bytes.length) throw new ObjectStoreError("unsupported", "more bytes than asked for");
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    signal.throwIfAborted();
    if (filled < bytes.length) {
      throw new ObjectStoreError("unreachable", `the answer ended at byte ${filled} of ${bytes.length}`);
    }
    whole = true;
    return bytes;
  } finally {
    signal.removeEventListener("abort", giveUp);
    if (!whole) giveUp();
  }
}

function mustBeOfRange(
  answer: Pick<Sdk.GetObjectCommandOutput, "ContentLength" | "ContentRange">,
  range: { start: number; end: number; total?: number },
): void {
  const wanted = range.end - range.start;
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? "");
  const total = match ? Number(match[3]) : answer.ContentLength;
  if (match ? Number(match[1]) !== range.start : range.start !== 0) {
    throw new ObjectStoreError("unsupported", `another range than asked for: ${answer.ContentRange ?? "the whole"}`);
  }
  if (range.total !== undefined && total !== range.total) {
    throw new ObjectStoreError("bad-digest", `the object has ${total} bytes, wanted ${range.total}`);
  }
  if (answer.ContentLength !== undefined && answer.ContentLength < wanted) {
    throw new ObjectStoreError("unreachable", `${answer.ContentLength} bytes were announced, wanted ${wanted}`);
  }
}

/** The mark of the next page; a listing that says it goes on and gives no new mark would never end, or end too soon. */
export function nextWithin(next: string | undefined, last: string | undefined): string {
  if (next && next !== last) return next;
  throw new ObjectStoreError("unsupported", "a listing says that it goes on and does not say where");
}
