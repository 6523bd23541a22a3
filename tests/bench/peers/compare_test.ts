import assert from "node:assert/strict";
import { formatReport, interleave, median, ratio } from "../../../bench/peers/compare.ts";

Deno.test("median() is the middle, or the mean of the two middle values", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

Deno.test("interleave() lets contestants take turns and turns their order round", async () => {
  const order: string[] = [];
  const contestant = (name: string, times: number[]) => ({
    name,
    prepare: () => Promise.resolve(void order.push(`prepare ${name}`)),
    run: () => Promise.resolve({ ms: (order.push(name), times.shift()!), peakBytes: null }),
  });
  const results = await interleave([contestant("a", [10, 30, 20]), contestant("b", [5, 5, 8])], { rounds: 3 });
  assert.deepEqual(order.filter((step) => !step.startsWith("prepare")), ["a", "b", "b", "a", "a", "b"]);
  assert.deepEqual(order.slice(0, 2), ["prepare a", "a"]);
  assert.deepEqual(results.map((one) => [one.name, one.medianMs, one.spreadMs]), [
    ["a", 20, [10, 30]],
    ["b", 5, [5, 8]],
  ]);
  assert.equal(ratio(results[1], results[0]), 4);
});

Deno.test("formatReport() shows each result, its spread and what was missed", () => {
  const result = {
    name: "ours",
    medianMs: 1500,
    spreadMs: [900, 2000] as [number, number],
    peakBytes: 2 ** 27,
    rounds: 3,
  };
  const text = formatReport({
    bench: "local",
    results: [{ case: "large files, cold", results: [result] }],
    verdicts: [{ what: "large files", wanted: "3 times", measured: "2.00 times", ok: false }],
  });
  assert.match(
    text,
    /^local: large files, cold\n {2}ours +1\.50 s {2}\(900\.0 ms to 2\.00 s, 3 rounds, peak 128 MiB\)/,
  );
  assert.match(text, /MISSED large files: 2\.00 times, wanted 3 times/);
});
