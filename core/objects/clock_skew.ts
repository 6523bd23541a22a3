/**
 * Whether the store is there, and how far this computer's clock is from the store's.
 * @module
 */
import { inWords, type ObjectSession, request } from "./session.ts";

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
