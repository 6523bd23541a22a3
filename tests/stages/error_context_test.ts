import assert from "node:assert/strict";
import { errorContext, namedIn } from "../../stages/error_context.ts";
import { assertLinear } from "../kit/growth.ts";

Deno.test("error-context reads samples and cycles as instruments write them", () => {
  const { patterns } = errorContext.options.parse({});
  const found = (...lines: string[]) => namedIn(lines, patterns);
  assert.deepEqual(found("INFO Sample: kidney_b1, x", "INFO Starting cycle 12 of 20"), {
    sample: "kidney_b1",
    cycle: "12",
  });
  assert.deepEqual(found('sampleName="A 1"', "CYCLE=#3"), { sample: "A" });
  assert.deepEqual(found("SAMPLE ID = x7", "Cycle: 3"), { sample: "x7", cycle: "3" });
  assert.deepEqual(found("resample: 7", "recycle 8", ""), {});
});

Deno.test("error-context adds the named groups of patterns of its own", () => {
  assert.deepEqual(namedIn(["slide 4 of run R9", "slide 5"], [/slide (?<slide>\d)/, /run (?<run>\w+)/]), {
    slide: "5",
    run: "R9",
  });
});

Deno.test("error-context takes a time that grows with a line and no faster", () => {
  const { patterns } = errorContext.options.parse({});
  assertLinear((text) => namedIn([text], patterns));
});
