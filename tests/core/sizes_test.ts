import assert from "node:assert/strict";
import { formatSize } from "../../core/sizes.ts";

Deno.test("formatSize() speaks in powers of two with three figures", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [100 * 2 ** 20, "100 MiB"],
    [2 ** 30 - 1, "1.0 GiB"],
    [2 ** 50, "1.0 PiB"],
  ];
  for (const [bytes, wanted] of cases) assert.equal(formatSize(bytes), wanted);
});
