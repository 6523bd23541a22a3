import assert from "node:assert/strict";
import { brokenAt, decodeMarked, decodeMarkedList, decodeText } from "../../core/text.ts";
import { assertLinear } from "../kit/growth.ts";

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

Deno.test("decodeMarked() takes for UTF-8 what the system's decoder takes for it, byte by byte", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isWhole = (bytes: Uint8Array) => {
    try {
      return strict.decode(bytes).length > 0;
    } catch {
      return false;
    }
  };
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee];
  edges.push(0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
  for (const a of edges) {
    for (const b of edges) {
      for (const c of edges) {
        for (const d of [[], [0x80], [0xbf], [0xc0]]) {
          const bytes = Uint8Array.of(a, b, c, ...d);
          const text = decodeMarked(bytes);
          assert.equal(brokenAt(text) === undefined, isWhole(bytes), `${bytes}`);
          const back = [...text].flatMap((letter) => {
            const code = letter.codePointAt(0)!;
            return code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : [...new TextEncoder().encode(letter)];
          });
          assert.deepEqual(Uint8Array.from(back), bytes);
        }
      }
    }
  }
});

Deno.test("decodeMarked() takes a time that grows with a text of another code page and no faster", () => {
  assertLinear((text) => decodeMarked(Uint8Array.from(text, (letter) => letter.charCodeAt(0) | 0x80)));
});

Deno.test("decodeMarkedList() takes UTF-16 for what it is", () => {
  assert.equal(decodeMarkedList(Uint8Array.of(0xff, 0xfe, 0x61, 0)), "a");
  assert.equal(decodeMarkedList(Uint8Array.of(0x61, 0xff)), "a\udcff");
});
