import assert from "node:assert/strict";
import { logPart } from "../../bench/log_tail.ts";
import { blocksOf, errorBlocks } from "../../stages/error_blocks.ts";

Deno.test("logPart() holds one error or none, which no other part holds", () => {
  const found = (text: string) =>
    blocksOf({ data: { records: [{ at: 0, text: text.replaceAll("\r\n", "\n") }] } }, errorBlocks.options.parse({}));
  assert.deepEqual(found(logPart(1, { error: false })), []);
  const [[first], [second]] = [found(logPart(1, { error: true })), found(logPart(2, { error: true }))];
  assert.match(first.text, /ERROR Pump 1 does not answer\n {3}at Fusion/);
  for (const kind of ["near", "untimed"] as const) {
    assert.equal(found(logPart(1, { error: true, kind })).length, 1, kind);
    assert.doesNotMatch(logPart(1, { error: false, kind }), /Sample:|cycle \d/, kind);
  }
  assert.match(second.text, /ERROR Pump 2 does not answer/);
});
