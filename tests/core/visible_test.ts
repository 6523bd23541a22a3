import assert from "node:assert/strict";
import { visible, visibleLine } from "../../core/visible.ts";
import { assertLinear } from "../kit/growth.ts";

const WILD = "a\x1b[31m\r\x00\x7f\x9b2J\u202egnp\u2066\u2028";

Deno.test("visible() escapes what drives a terminal, and keeps lines, tabs and all other letters", () => {
  assert.equal(visible(WILD), "a\\u001b[31m\\u000d\\u0000\\u007f\\u009b2J\\u202egnp\\u2066\\u2028");
  for (const text of ["one\n\ttwo\n", "Grün, 日本, 🔬, e\u0301, \u200f", "C:\\temp"]) assert.equal(visible(text), text);
});

Deno.test("visible() keeps JSON the JSON of the same values", () => {
  const value = { [WILD]: [WILD, "\n\t"] };
  const shown = visible(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(shown), value);
  assert.doesNotMatch(shown, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
});

Deno.test("visibleLine() keeps to one line", () => {
  assert.equal(visibleLine("a\nok  b\t\x1b"), "a\\u000aok  b\\u0009\\u001b");
});

Deno.test("visible() and visibleLine() take a time that grows with the text and no faster", () => {
  assertLinear(visible);
  assertLinear(visibleLine);
});
