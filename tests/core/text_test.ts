import assert from "node:assert/strict";
import { brokenAt, decodeMarked, decodeMarkedList, decodeText } from "../../core/text.ts";

Deno.test("decodeText() reads UTF-8, and UTF-16 of either order by its byte order mark", () => {
  const text = "größer\r\nops@lab\r\n";
  const units = [...text].map((letter) => letter.charCodeAt(0));
  assert.equal(decodeText(new TextEncoder().encode(text)), text);
  assert.equal(decodeText(Uint8Array.from([0xff, 0xfe, ...units.flatMap((unit) => [unit & 0xff, unit >> 8])])), text);
  assert.equal(decodeText(Uint8Array.from([0xfe, 0xff, ...units.flatMap((unit) => [unit >> 8, unit & 0xff])])), text);
  assert.equal(decodeText(new Uint8Array()), "");
  assert.equal(decodeText(Uint8Array.of(0x61, 0xff)), "a\ufffd");
});

Deno.test("decodeMarked() keeps bytes that are no UTF-8 apart, and says where the first stands", () => {
  const utf8 = new TextEncoder().encode("\ufeffgrößer \u{1f9ea} \ufffd\n");
  assert.equal(decodeMarked(utf8), "\ufeffgrößer \u{1f9ea} \ufffd\n");
  assert.equal(brokenAt(decodeMarked(utf8)), undefined);
  const latin1 = Uint8Array.from([...'a\n"füßen"\n'].map((letter) => letter.charCodeAt(0)));
  assert.equal(decodeMarked(latin1), 'a\n"f\udcfc\udcdfen"\n');
  assert.equal(brokenAt(decodeMarked(latin1)), 4);
  assert.notEqual(decodeMarked(Uint8Array.of(0xfc)), decodeMarked(Uint8Array.of(0xf6)));
  assert.equal(decodeMarked(Uint8Array.of(0xc3, 0xbc, 0xc3)), "ü\udcc3");
  assert.equal(decodeMarked(Uint8Array.of(0xed, 0xa0, 0x80)), "\udced\udca0\udc80");
});

Deno.test("decodeMarkedList() takes UTF-16 for what it is", () => {
  assert.equal(decodeMarkedList(Uint8Array.of(0xff, 0xfe, 0x61, 0)), "a");
  assert.equal(decodeMarkedList(Uint8Array.of(0x61, 0xff)), "a\udcff");
});
