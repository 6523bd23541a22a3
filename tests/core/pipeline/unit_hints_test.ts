import assert from "node:assert/strict";
import { byteSize, duration } from "../../../core/options.ts";
import { unitHint } from "../../../core/pipeline/unit_hints.ts";

const DURATION = 'wanted a duration such as "15min"';
const SIZE = 'wanted a size such as "8 MiB"';

Deno.test("unitHint() says how to write what was meant, and what it says is taken", () => {
  const durations = {
    "2 seconds": "2s",
    "15 minutes": "15min",
    "3 hrs": "3h",
    "14 days": "14d",
    "1 week": "1w",
    "5 msec": "5ms",
  };
  for (const [written, meant] of Object.entries(durations)) {
    assert.equal(unitHint(DURATION, written), `write "${meant}"`);
    assert.ok(duration().safeParse(meant).success, meant);
  }
  for (
    const [written, meant] of Object.entries({
      "8 MB": "8 MiB",
      "1.5gb": "1.5 GiB",
      "64k": "64 KiB",
      "10 bytes": "10 B",
    })
  ) {
    assert.equal(unitHint(SIZE, written), `write "${meant}"`);
    assert.ok(byteSize().safeParse(meant).success, meant);
  }
  assert.match(unitHint(DURATION, 14) ?? "", /^add a unit: "14d" \(days\)/);
  assert.match(unitHint(SIZE, "8") ?? "", /^add a unit: "8 MiB"/);
});

Deno.test("unitHint() says nothing of what is neither, nor where neither was wanted", () => {
  for (const found of ["soon", "", "5 parsecs", undefined, [1]]) assert.equal(unitHint(DURATION, found), undefined);
  assert.equal(unitHint("wanted a path", "14"), undefined);
});
