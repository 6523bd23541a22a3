import assert from "node:assert/strict";
import { join } from "@std/path";
import { LINT_RULES, renderLintRules, ruleSeverity } from "../../../core/lint/rules.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");

Deno.test("renderLintRules() is what docs/reference/lint_rules.md holds", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs", "reference", "lint_rules.md"));
  assert.equal(page.replaceAll("\r\n", "\n"), renderLintRules(), "run: deno task reference");
});

Deno.test("LINT_RULES has each code once, with a paragraph for people", () => {
  const codes = LINT_RULES.map((rule) => rule.code);
  assert.deepEqual(codes.filter((code, index) => codes.indexOf(code) !== index), []);
  for (const rule of LINT_RULES) {
    assert.match(rule.code, /^[a-z0-9]+\/[a-z-]+$/);
    assert.match(rule.text, /^[A-Z`].+\.$/s, rule.code);
  }
  assert.equal(ruleSeverity("safety/unreachable"), "warning");
  assert.throws(() => ruleSeverity("nobody/knows"), RangeError);
});

/** Codes that the sources report, as they stand in the text. */
async function codesIn(folder: string): Promise<Set<string>> {
  const codes = new Set<string>();
  for await (const entry of Deno.readDir(join(ROOT, folder))) {
    if (!entry.name.endsWith(".ts") || entry.name.endsWith("rules.ts")) continue;
    const text = await Deno.readTextFile(join(ROOT, folder, entry.name));
    for (
      const match of text.matchAll(/["`]((?:toml|config|pipeline|options|template|safety|env|plugins)\/[a-z-]+)["`]/g)
    ) {
      codes.add(match[1]);
    }
  }
  return codes;
}

Deno.test("LINT_RULES explains every code the language and lint report, and no other", async () => {
  const folders = await Promise.all(["core/pipeline", "core/lint", "core/external"].map(codesIn));
  const reported = new Set(folders.flatMap((codes) => [...codes]));
  // Made of the area and the kind of problem by schema_diagnostics.ts.
  for (const area of ["config", "pipeline", "options"]) {
    for (const kind of ["unknown-key", "missing-key", "wrong-type", "bad-value"]) reported.add(`${area}/${kind}`);
  }
  // Thrown before any file is read, so that there is no line to show.
  reported.delete("pipeline/not-found");
  assert.deepEqual([...reported].toSorted(), LINT_RULES.map((rule) => rule.code).toSorted());
});
