import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../core/errors.ts";
import { compareKeys, itemPrefix, keyBefore, normalPrefix, objectKey } from "../../../core/objects/keys.ts";

Deno.test("normalPrefix() drops leading and sets one trailing slash", () => {
  assert.deepEqual(["", "/", "a", "/a/b//"].map(normalPrefix), ["", "", "a/", "a/b/"]);
});

Deno.test("S18 itemPrefix() of study1 is no prefix of study10", () => {
  assert.equal(itemPrefix("data", "study1"), "data/study1/");
  assert.ok(!objectKey("data", "study10", "a").startsWith(itemPrefix("data", "study1")));
});

Deno.test("itemPrefix() refuses a name that is not one segment", () => {
  for (const name of ["", ".", "..", "a/b"]) assert.throws(() => itemPrefix("data", name), TypeError);
});

Deno.test("objectKey() keeps every character of a path", () => {
  assert.equal(objectKey("p", "s", "a b+c%41/ü\n.txt"), "p/s/a b+c%41/ü\n.txt");
});

Deno.test("objectKey() refuses keys above 1,024 bytes and text that is not well formed", () => {
  const code = (wanted: string) => (error: unknown) => error instanceof PipelineError && error.code === wanted;
  assert.equal(objectKey("", "s", "ü".repeat(511)).length, 513);
  assert.throws(() => objectKey("", "s", "ü".repeat(512)), code("s3/key-too-long"));
  assert.throws(() => objectKey("", "s", "a\ud800b"), code("s3/bad-key"));
});

Deno.test("compareKeys() orders as the bytes of UTF-8 do", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(fc.property(text, text, (a, b) => {
    const bytes = Buffer.compare(new TextEncoder().encode(a), new TextEncoder().encode(b));
    assert.equal(Math.sign(compareKeys(a, b)), bytes);
  }));
});

Deno.test("keyBefore() lies below its key and above every neighbour that is not a continuation", () => {
  const text = fc.string({ unit: "binary", minLength: 1 });
  fc.assert(fc.property(text, (key) => {
    const before = keyBefore(key);
    if (before !== undefined) assert.ok(compareKeys(before, key) < 0);
  }));
  assert.ok(compareKeys(keyBefore("a/0/1")!, "a/0/0/999") > 0, "keys of the sibling before are passed over");
});
