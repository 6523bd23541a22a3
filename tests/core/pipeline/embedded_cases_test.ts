/** The cases of the shipped pipelines: they are what the files hold, and each goes as it says. */
import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { EMBEDDED_CASES } from "../../../core/pipeline/embedded_cases.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { renderDiagnostics } from "../../../core/pipeline/diagnostic.ts";
import type { PipelineText } from "../../../core/pipeline/presets.ts";
import { readCase } from "../../../testing/case_file.ts";
import { runCase } from "../../../testing/case_run.ts";
import { readCases, renderEmbeddedCases } from "../../../tools/embed_presets.ts";

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));

Deno.test("EMBEDDED_CASES is what pipelines/*.case.toml hold, and every preset has some", async () => {
  const onDisk = await readCases(ROOT);
  assert.deepEqual(EMBEDDED_CASES, onDisk, "run: deno run -A tools/embed_presets.ts");
  const module = await Deno.readTextFile(`${ROOT}core/pipeline/embedded_cases.ts`);
  assert.equal(module.replaceAll("\r\n", "\n"), renderEmbeddedCases(onDisk));
  const covered = new Set(Object.keys(EMBEDDED_CASES).map((name) => name.split(".")[0]));
  assert.deepEqual([...covered].sort(), Object.keys(EMBEDDED_PRESETS).sort());
});

const finder = {
  find: (name: string): Promise<PipelineText | undefined> =>
    Promise.resolve({ text: EMBEDDED_PRESETS[name], file: `pipelines/${name}.toml`, origin: "embedded" }),
  names: () => Promise.resolve(Object.keys(EMBEDDED_PRESETS)),
};

for (const [name, text] of Object.entries(EMBEDDED_CASES)) {
  const { read, diagnostics } = readCase({ file: `pipelines/${name}.case.toml`, text });
  Deno.test(`case ${name}: ${read?.spec.summary}`, async () => {
    assert.ok(read, renderDiagnostics(diagnostics));
    const result = await runCase(read, { finder });
    assert.equal(renderDiagnostics(result.diagnostics), "");
    assert.deepEqual(result.failures, []);
  });
}
