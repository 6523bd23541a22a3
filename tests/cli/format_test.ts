import assert from "node:assert/strict";
import { columns, count, formatBytes, formatSpan } from "../../cli/format.ts";

Deno.test("formatBytes() shows three digits and the unit", () => {
  const wanted: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10 * 1024, "10.0 KiB"],
    [1023.9 * 1024, "1.00 MiB"],
    [123.4 * 2 ** 30, "123 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, text] of wanted) assert.equal(formatBytes(bytes), text);
});

Deno.test("formatSpan() shows the two largest units", () => {
  const wanted: [number, string][] = [
    [0, "0.0 s"],
    [-5, "0.0 s"],
    [9_940, "9.9 s"],
    [59_400, "59 s"],
    [61_000, "1 min 01 s"],
    [3_599_600, "1 h 00 min"],
    [26 * 3_600_000, "26 h 00 min"],
    [50 * 3_600_000, "2 d 2 h"],
  ];
  for (const [ms, text] of wanted) assert.equal(formatSpan(ms), text);
});

Deno.test("columns() aligns and leaves no trailing blanks", () => {
  assert.deepEqual(columns([["a", "1", ""], ["bbb", "22", "x"]], [1]), ["a     1", "bbb  22  x"]);
  assert.equal(count(1, "file") + count(2, "file"), "1 file2 files");
});
