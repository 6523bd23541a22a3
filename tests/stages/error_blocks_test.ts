import assert from "node:assert/strict";
import { TIMESTAMP_LINE } from "../../core/options.ts";
import { blocksOf, errorBlocks } from "../../stages/error_blocks.ts";
import { assertLinear } from "../kit/growth.ts";

const T = "2026-01-02 03:04:05.678";
const DEFAULTS = errorBlocks.options.parse({});
const item = (...texts: string[]) => ({ data: { records: texts.map((text, at) => ({ at, text })) } });
const texts = (...records: string[]) => blocksOf(item(...records), DEFAULTS).map(({ text }) => text);

Deno.test("error-blocks takes a line with a timestamp and the word ERROR, up to the next line with one", () => {
  assert.deepEqual(texts(`${T} ERROR a\n  at b\n${T} INFO c\n${T} [ERROR] d`, `${T} INFO e`), [
    `${T} ERROR a\n  at b`,
    `${T} [ERROR] d`,
  ]);
  assert.deepEqual(texts(`no stamp ERROR`, `${T} TERRORS`, `  at ERROR`), []);
});

Deno.test("error-blocks knows the timestamps that logs write", () => {
  for (
    const stamp of [
      "2026-01-02 03:04:05",
      "[2026-01-02T03:04:05.123Z]",
      "INFO 2026/1/2 3:04:05,123",
      "02.01.2026 03:04:05",
      "1/2/2026, 3:04:05 PM",
      "2026-01-02 03:04:05+01:00",
    ]
  ) assert.match(`${stamp} x`, new RegExp(TIMESTAMP_LINE), stamp);
  for (const other of ["12:04", "version 1.2.3", "2026-01-02", "  at line 10:20:30"]) {
    assert.doesNotMatch(other, new RegExp(TIMESTAMP_LINE), other);
  }
});

Deno.test("error-blocks takes patterns of its own, and numbers the errors of a record", () => {
  const options = errorBlocks.options.parse({ error: ["^BAD", "^WORSE"], until: "^OK" });
  assert.deepEqual(blocksOf(item("BAD 1\nOK\nWORSE 2\nmore"), options).map(({ nth, text }) => [nth, text]), [
    [0, "BAD 1"],
    [1, "WORSE 2\nmore"],
  ]);
  assert.equal(errorBlocks.options.safeParse({ error: ["("] }).success, false);
});

Deno.test("error-blocks refuses items that come from no log", () => {
  assert.throws(() => blocksOf({ data: { records: "no" } }, DEFAULTS), /Cannot read "records" of the item/);
});

Deno.test("error-blocks takes a time that grows with a line and no faster", () => {
  assertLinear(texts);
});
