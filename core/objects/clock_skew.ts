/**
 * Whether the store is there, and how far this computer's clock is from the store's.
 * @module
 */
import { clockSkew } from "./explain.ts";
import { inWords, type ObjectSession, request } from "./session.ts";

/** Above this difference nothing is destroyed (SAFETY S13). */
export const MAX_OFFSET_MS = 5 * 60_000;

/**
 * Asks for the bucket and returns how far this computer's clock is ahead of the store's, in ms (null when the store
 * does not tell the time).
 * @throws {PipelineError} `s3/no-bucket`, `s3/denied`, `s3/unreachable`, `s3/clock-skew` when the store refuses our time
 */
export function storeClockOffset(session: ObjectSession): Promise<number | null> {
  return inWords(session, { verb: "reach", key: "" }, async () => {
    const { store, clock, signal } = session;
    return await request(session, `reach "${store.uri}"`, async () => {
      const before = clock.now();
      const { serverDate } = await store.headBucket(signal);
      if (!serverDate) return null;
      const middle = (before + clock.now()) / 2;
      // The `Date` header drops the milliseconds.
      const offset = middle - (serverDate.getTime() + 500);
      return Math.abs(offset) <= 1000 ? 0 : Math.round(offset);
    });
  });
}

/**
 * Refuses to go on when the clocks differ by more than five minutes, or the store does not tell the time.
 * @throws {PipelineError} `s3/clock-skew`, and the codes of `storeClockOffset`
 */
export async function mustShareClock(session: ObjectSession): Promise<void> {
  const offset = await storeClockOffset(session);
  const now = session.clock.now();
  const doing = { verb: "trust the clock against", thing: session.store.uri, now };
  if (offset === null) throw clockSkew(doing, undefined, "a store that tells the time");
  if (Math.abs(offset) > MAX_OFFSET_MS) throw clockSkew(doing, new Date(now - offset), "less than 5 min apart");
}
