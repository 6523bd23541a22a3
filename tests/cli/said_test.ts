import assert from "node:assert/strict";
import { Said } from "../../cli/said.ts";

Deno.test("Said.isNews() says the same again once it is old, and when the clock was set back", () => {
  const said = new Said();
  const isNews = (now: number) => said.isNews("no password", { now, ageMs: 1_000 });
  assert.deepEqual([5_000, 5_999, 6_000, 6_999, 3_000, 3_500].map(isNews), [true, false, true, false, true, false]);
  assert.ok(said.isNews("another", { now: 3_500, ageMs: 1_000 }));
});

Deno.test("Said.isNews() remembers so many words, and forgets the oldest", () => {
  const said = new Said();
  const isNews = (words: number) => said.isNews(String(words), { now: 0, ageMs: 1_000 });
  for (let words = 0; words <= 100; words++) isNews(words);
  assert.deepEqual([100, 1, 0].map(isNews), [false, false, true]);
});
