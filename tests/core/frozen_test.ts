import assert from "node:assert/strict";
import { deepFreeze, frozenCopy } from "../../core/frozen.ts";

Deno.test("deepFreeze() freezes what a frozen value holds, and ends where values hold each other", () => {
  const inner: { [key: string]: unknown } = { list: [{ a: 1 }] };
  inner.self = inner;
  const value = deepFreeze(Object.freeze({ inner, when: new Date(0) }));
  assert.deepEqual([inner, inner.list, (inner.list as unknown[])[0]].map(Object.isFrozen), [true, true, true]);
  assert.equal(Object.isFrozen(value.when), false);
});

Deno.test("frozenCopy() leaves what it copies as it is", () => {
  const given = { list: [1] };
  assert.deepEqual(frozenCopy(given), given);
  given.list.push(2);
});
