import assert from "node:assert/strict";
import { LATE, settledWithin } from "../../core/settled_within.ts";

Deno.test("settledWithin() gives what the work gives, throws what it throws, and leaves what does not end", async () => {
  assert.equal(await settledWithin(1e6, Promise.resolve(7)), 7);
  await assert.rejects(settledWithin(1e6, Promise.reject(new Error("no"))), /no/);
  assert.equal(await settledWithin(1, new Promise(() => {})), LATE);
});

Deno.test("settledWithin() what late work throws is no unhandled rejection", async () => {
  const work = Promise.withResolvers<never>();
  assert.equal(await settledWithin(1, work.promise), LATE);
  work.reject(new Error("too late"));
  await Deno.lstat("."); // an unhandled rejection fails the test at the next turn
});
