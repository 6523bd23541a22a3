/** Reads answers of the S3 client to the last byte, and not one more or less. */
import type * as Sdk from "@aws-sdk/client-s3";
import { ObjectStoreError } from "../../core/objects/object_store.ts";

/** The body of an answer, as the runtime's HTTP client gives it. */
interface Body {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "aborted", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  destroy(): void;
}

/**
 * Reads the bytes `start` to `end` that were asked for. The body is read to its end or given up on every way out, so
 * that its connection is free.
 */
export async function readExactly(
  answer: Pick<Sdk.GetObjectCommandOutput, "Body" | "ContentLength" | "ContentRange">,
  range: { start: number; end: number; total?: number; into?: Uint8Array },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body = answer.Body as unknown as Body | undefined;
  if (!body) throw new ObjectStoreError("unreachable", "no body in the answer");
  const bytes = range.into ?? new Uint8Array(range.end - range.start);
  if (bytes.length !== range.end - range.start) throw new RangeError(`Cannot read into ${bytes.length} bytes`);
  try {
    mustBeOfRange(answer, range);
    await readInto(bytes, body, signal);
    return bytes;
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** Listens instead of iterating: half the work for each chunk of 64 KiB. */
function readInto(bytes: Uint8Array, body: Body, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  let filled = 0;
  let open = true;
  signal.addEventListener("abort", stop, { once: true });
  body.on("data", (chunk) => {
    // The memory may be another's by the time a late chunk comes.
    if (!open) return;
    if (filled + chunk.length > bytes.length) {
      reject(new ObjectStoreError("unsupported", "more bytes than asked for"));
      return;
    }
    bytes.set(chunk, filled);
    filled += chunk.length;
  });
  body.on("aborted", () => reject(new ObjectStoreError("unreachable", `the answer broke off at byte ${filled}`)));
  body.on("error", reject);
  body.on("end", () => {
    if (filled === bytes.length) resolve();
    else reject(new ObjectStoreError("unreachable", `the answer ended at byte ${filled} of ${bytes.length}`));
  });
  return promise.finally(() => {
    open = false;
    signal.removeEventListener("abort", stop);
  });
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
