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
  const before = systemClock.now();
  await systemClock.sleep(0);
  await systemClock.sleep(-5);
  assert.ok(systemClock.now() - before < 1000);
});
