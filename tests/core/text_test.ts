import assert from "node:assert/strict";
import { decodeText } from "../../core/text.ts";

Deno.test("decodeText() reads UTF-8, and UTF-16 of either order by its byte order mark", () => {
  const text = "größer\r\nops@lab\r\n";
  const units = [...text].map((letter) => letter.charCodeAt(0));
  assert.equal(decodeText(new TextEncoder().encode(text)), text);
  assert.equal(decodeText(Uint8Array.from([0xff, 0xfe, ...units.flatMap((unit) => [unit & 0xff, unit >> 8])])), text);
  assert.equal(decodeText(Uint8Array.from([0xfe, 0xff, ...units.flatMap((unit) => [unit >> 8, unit & 0xff])])), text);
  assert.equal(decodeText(new Uint8Array()), "");
  assert.equal(decodeText(Uint8Array.of(0x61, 0xff)), "a\ufffd");
});
