/**
 * Writes `docs/reference/lint_rules.md` from the table of lint rules: `deno run -A tools/lint_rules.ts`.
 * @module
 */
import { join } from "@std/path";
import { renderLintRules } from "../core/lint/rules.ts";

if (import.meta.main) {
  const root = join(import.meta.dirname ?? ".", "..");
  await Deno.writeTextFile(join(root, "docs", "reference", "lint_rules.md"), renderLintRules());
}
