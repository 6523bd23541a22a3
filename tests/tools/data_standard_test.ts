import assert from "node:assert/strict";
import { RULES } from "../../plugins/standards/phenocycler/examples.ts";
import { renderDataStandard } from "../../tools/data_standard.ts";

Deno.test("docs/data_standard.md is what deno task data-standard makes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/data_standard.md", import.meta.url));
  assert.equal(page.replaceAll("\r\n", "\n"), renderDataStandard());
});

Deno.test("renderDataStandard() shows every example, and what labferry says of those that fail", () => {
  const page = renderDataStandard();
  for (const { code, title, examples } of RULES) {
    assert.ok(page.includes(`\n## ${code}: ${title}\n`));
    for (const { about } of examples) assert.ok(page.includes(about), about);
  }
  const failing = RULES.flatMap(({ examples }) => examples).filter(({ finds }) => finds.length > 0);
  assert.equal(page.split("→ R").length - 1, failing.flatMap(({ finds }) => finds).length);
});
