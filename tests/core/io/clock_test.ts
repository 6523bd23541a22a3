import assert from "node:assert/strict";
import { systemClock } from "../../../core/io/clock.ts";

Deno.test("systemClock.sleep() rejects with the signal's reason, before and during the wait", async () => {
  const reason = new Error("stop");
  await assert.rejects(systemClock.sleep(1e9, AbortSignal.abort(reason)), reason);
  const stop = new AbortController();
  const asleep = systemClock.sleep(1e12, stop.signal);
  stop.abort(reason);
  await assert.rejects(asleep, reason);
});

Deno.test("systemClock.sleep() returns at once for nothing, and leaves no timer", async () => {
  for (const ms of [0, -5]) {
    let isOver = false;
    const asleep = systemClock.sleep(ms).then(() => isOver = true);
    // No timer comes in between these.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.ok(isOver);
    await asleep;
  }
});
