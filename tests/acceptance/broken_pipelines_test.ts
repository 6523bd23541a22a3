/**
 * Mistakes operators make, each with the exact words labferry finds for it: `broken_pipelines/<mistake>.toml`, and what
 * `labferry lint --offline` says of it in `<mistake>.txt`. Whoever changes a message reads the text again as an operator
 * would: can the fault be found and mended from it alone?
 */
import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { builtinRegistry } from "../../cli/project.ts";
import { LINT_RULES } from "../../core/lint/rules.ts";
import { lintPipeline } from "../../core/lint/safety.ts";
import { compilePipeline } from "../../core/pipeline/compile.ts";
import { loadConfig } from "../../core/pipeline/config.ts";
import { type Diagnostic, hasErrors, renderDiagnostics } from "../../core/pipeline/diagnostic.ts";

const FOLDER = fromFileUrl(new URL("./broken_pipelines/", import.meta.url));

const CONFIG = `[paths]
source_root   = "/data/fusion"
truenas_root  = "/mnt/truenas/fusion"
manifest_root = "/mnt/truenas/manifests"

[s3]
bucket = "lab-archive"
prefix = "fusion"
`;

const { loaded: config } = loadConfig({ path: "/etc/labferry/config.toml", text: CONFIG, system: "posix" });
assert.ok(config);
const registry = builtinRegistry();
const mistakes = [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.endsWith(".toml"))
  .map(({ name }) => name.slice(0, -".toml".length)).toSorted();

async function read(file: string): Promise<string> {
  return (await Deno.readTextFile(`${FOLDER}${file}`)).replaceAll("\r\n", "\n");
}

async function lint(mistake: string): Promise<Diagnostic[]> {
  assert.ok(config);
  const file = `pipelines/${mistake}.toml`;
  const text = await read(`${mistake}.toml`);
  const { pipeline, diagnostics } = compilePipeline({ text, file, config, registry, env: {} });
  return pipeline ? [...diagnostics, ...lintPipeline(pipeline, { events: [] })] : diagnostics;
}

for (const mistake of mistakes) {
  Deno.test(`an operator is told of a mistake: ${mistake.replaceAll("_", " ")}`, async () => {
    const found = await lint(mistake);
    assert.ok(hasErrors(found), "lint passes it");
    // Shows both, line by line, where they differ.
    assert.equal(`${renderDiagnostics(found)}\n`, await read(`${mistake}.txt`));
  });
}

Deno.test("every message of a mistake has its position, a code that is explained, the line and a way out", async () => {
  assert.ok(mistakes.length >= 20, `${mistakes.length} mistakes`);
  const codes = new Set(LINT_RULES.map((rule) => rule.code));
  for (const mistake of mistakes) {
    const lines = (await read(`${mistake}.toml`)).split("\n");
    for (const { file, line, column, code, hint, sourceLine } of await lint(mistake)) {
      assert.equal(file, `pipelines/${mistake}.toml`);
      assert.equal(sourceLine, lines[line - 1], mistake);
      assert.ok(column <= sourceLine.length + 1, mistake);
      assert.ok(codes.has(code), code);
      assert.ok(hint, `${mistake}: ${code} says not what to do`);
    }
  }
});
