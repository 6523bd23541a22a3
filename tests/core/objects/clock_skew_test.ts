import assert from "node:assert/strict";
import { storeClockOffset } from "../../../core/objects/clock_skew.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { instantClock } from "../../../testing/doubles.ts";
import { testSession } from "../../kit/object_session.ts";

Deno.test("storeClockOffset() says how far this computer is ahead", async () => {
  const clock = instantClock(Date.UTC(2026, 0, 1, 12, 0, 0, 500));
  let ahead = 0;
  const session = testSession(memoryStore({ now: () => Date.UTC(2026, 0, 1, 12) - ahead }), { clock });
  assert.equal(await storeClockOffset(session), 0);
  ahead = 22 * 60_000;
  assert.equal(await storeClockOffset(session), 22 * 60_000);
});
