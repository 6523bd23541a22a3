import assert from "node:assert/strict";
import { mustShareClock, storeClockOffset } from "../../../core/objects/clock_skew.ts";
import { memoryStore } from "../../kit/memory_object_store.ts";
import { instantClock, testSession } from "../../kit/object_session.ts";

Deno.test("storeClockOffset() says how far this computer is ahead", async () => {
  const clock = instantClock(Date.UTC(2026, 0, 1, 12, 0, 0, 500));
  let ahead = 0;
  const session = testSession(memoryStore({ now: () => Date.UTC(2026, 0, 1, 12) - ahead }), { clock });
  assert.equal(await storeClockOffset(session), 0);
  ahead = 22 * 60_000;
  assert.equal(await storeClockOffset(session), 22 * 60_000);
});

Deno.test("S13 mustShareClock() refuses clocks more than five minutes apart", async () => {
  const clock = instantClock();
  let behind = 4 * 60_000;
  const session = testSession(memoryStore({ now: () => clock.time + behind }), { clock });
  await mustShareClock(session);
  behind = 6 * 60_000;
  await assert.rejects(mustShareClock(session), (error: Error & { code?: string }) => {
    assert.equal(error.code, "s3/clock-skew");
    assert.match(error.message, /this computer is 6 min behind, wanted less than 5 min apart$/);
    return true;
  });
});
