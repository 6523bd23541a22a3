import assert from "node:assert/strict";
import { inTime } from "../../testing/deadline.ts";

Deno.test("inTime() ends as the work does, or in words when it does not", async () => {
  assert.equal(await inTime("it", undefined, () => Promise.resolve(3)), 3);
  await assert.rejects(inTime("it", 1_000, () => Promise.reject(new Error("no"))), /^Error: no$/);
  await assert.rejects(inTime("it", 1, () => new Promise(() => {})), /^Error: it has not ended within 1 ms: /);
});
