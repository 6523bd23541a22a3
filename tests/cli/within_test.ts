import assert from "node:assert/strict";
import { within } from "../../cli/within.ts";

Deno.test("within() waits for what ends, passes on what it throws, and leaves what does not end", async () => {
  let ended = false;
  await within(1e6, Promise.resolve().then(() => void (ended = true)));
  assert.equal(ended, true);
  await assert.rejects(within(1e6, Promise.reject(new Error("no"))), /no/);
  await within(1, new Promise(() => {}));
});
