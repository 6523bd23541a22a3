import assert from "node:assert/strict";
import { phenocycler } from "../../../../plugins/standards/phenocycler.ts";
import { listingOf, RULES } from "../../../../plugins/standards/phenocycler/examples.ts";

for (const { code, title, examples } of RULES) {
  for (const { about, study, paths, finds } of examples) {
    Deno.test(`phenocycler.check() ${code} ${title.toLowerCase()}: ${about} ${finds.length ? "fails" : "passes"}`, () => {
      const findings = phenocycler.check(study, listingOf(paths));
      assert.deepEqual(findings.map(({ rule, path }) => `${rule} ${path}`), finds, JSON.stringify(findings, null, 1));
    });
  }
}

Deno.test("the table of examples has every rule, each with what passes and what fails it", () => {
  assert.deepEqual(RULES.map(({ code }) => code), ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]);
  for (const { code, examples } of RULES) {
    assert.ok(examples.some(({ finds }) => finds.length === 0), code);
    for (const { finds } of examples) for (const found of finds) assert.ok(found.startsWith(`${code} `), found);
    assert.ok(examples.some(({ finds }) => finds.length > 0), code);
  }
});
