/**
 * Every TOML block of README.md and docs/ is linted, so that nobody copies a mistake out of them. What a block is, follows
 * from its keys:
 * - a config: its tables are sections of the config;
 * - a pipeline: it has a `name` and a `[source]` or a `[[stage]]`;
 * - a fragment of a pipeline: tables of a pipeline without a name. It is completed by a preset: by `notify` where one of
 *   its stages takes events, else by `backup`. Tables and stages of the fragment take the place of those of the preset
 *   with the same name or id; further stages go before the stage `record`, or to the end where there is none.
 *
 * A stage that the page itself defines in a block of TypeScript is known there, with any options. A block that begins
 * with "```toml case" is a case of `labferry test`, which checks those itself.
 */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { stringify } from "@std/toml/stringify";
import { stages } from "../../stages/mod.ts";
import { plugins } from "../../plugins/mod.ts";
import { type AnyStage, defineStage } from "../../core/contract.ts";
import { lintPipeline } from "../../core/lint/safety.ts";
import { z } from "../../core/options.ts";
import { compilePipeline } from "../../core/pipeline/compile.ts";
import { configKeys, loadConfig } from "../../core/pipeline/config.ts";
import { renderConfigTemplate } from "../../core/pipeline/config_template.ts";
import { type Diagnostic, hasErrors, renderDiagnostics } from "../../core/pipeline/diagnostic.ts";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import { parseToml, tomlValue } from "../../core/pipeline/toml_document.ts";
import { createRegistry, type Registry } from "../../core/registry.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

interface Block {
  /** `docs/start.md:30`: where the block begins. */
  at: string;
  text: string;
  /** Names of stages that its page defines. */
  defined: string[];
}

// deno-lint-ignore no-explicit-any
type Tables = Record<string, any>;

async function pages(folder = "docs"): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await pages(path));
    else if (entry.name.endsWith(".md")) found.push(path);
  }
  return found.toSorted();
}

function blocksOf(page: string, markdown: string): Block[] {
  const fences = [...markdown.matchAll(/^( *)```(\w+)([^\n]*)\n([\s\S]*?)^ *```$/gm)];
  const code = fences.filter(([, , language]) => language === "ts" || language === "js").map(([, , , , text]) => text);
  const defined = code.flatMap((text) => [...text.matchAll(/\bname: "([a-z0-9-]+)"/g)].map(([, name]) => name));
  return fences
    .filter(([, , language, more]) => language === "toml" && !/\bcase\b/.test(more))
    .map(({ index, 1: indent, 4: text }) => ({
      at: `${page}:${markdown.slice(0, index).split("\n").length}`,
      text: indent === "" ? text : text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      defined,
    }));
}

function registryWith(defined: readonly string[]): Registry {
  const known = new Set(stages.map(({ name }) => name));
  const own = [...new Set(defined)].filter((name) => !known.has(name)).map((name) =>
    defineStage({
      kind: "stage",
      name,
      summary: "A stage of the page.",
      takes: "any",
      effect: "create",
      resume: "redo",
      options: z.looseObject({}),
      example: "",
      open: () => ({ async *plan() {}, apply: () => Promise.resolve() }),
    }) as AnyStage
  );
  return createRegistry([...stages, ...plugins, ...own]);
}

/** A config with every example of the template set. */
const FULL_CONFIG = renderConfigTemplate("posix").replaceAll(/^# (?=[a-z_]+ = )/gm, "");

function lintPipelineText(text: string, at: string, registry: Registry): Diagnostic[] {
  const { loaded: config } = loadConfig({ path: "/etc/labferry/config.toml", text: FULL_CONFIG, system: "posix" });
  assert.ok(config);
  const { pipeline, diagnostics } = compilePipeline({ text, file: at, config, registry, env: {} });
  return pipeline ? [...diagnostics, ...lintPipeline(pipeline, { events: [] })] : diagnostics;
}

function tablesOf(text: string, at: string): Tables {
  const { document, diagnostics } = parseToml({ file: at, text });
  assert.ok(document && !hasErrors(diagnostics), renderDiagnostics(diagnostics));
  return tomlValue(document.root) as Tables;
}

/** The preset with the tables of the fragment in it. */
function completed(fragment: Tables, registry: Registry): string {
  const own: Tables[] = fragment.stage ?? [];
  const isOfEvents = own.some(({ use }) => registry.find("stage", use)?.takes === "event");
  const preset = tablesOf(EMBEDDED_PRESETS[isOfEvents ? "notify" : "backup"], "preset");
  const idOf = (stage: Tables) => stage.id ?? stage.use;
  const list = preset.stage.map((stage: Tables) => own.find((one) => idOf(one) === idOf(stage)) ?? stage);
  const more = own.filter((one) => !list.includes(one));
  const record = list.findIndex((stage: Tables) => idOf(stage) === "record");
  list.splice(record < 0 ? list.length : record, 0, ...more);
  return stringify({ ...preset, ...fragment, stage: list });
}

/** What lint says of a block; which of its errors count is the same everywhere: all. */
function lintBlock({ at, text, defined }: Block): Diagnostic[] {
  const keys = Object.keys(tablesOf(text, at));
  const registry = registryWith(defined);
  if (keys.every((key) => configKeys([]).includes(key))) {
    // Its paths are those of one system.
    const said = (["windows", "posix"] as const).map((system) =>
      loadConfig({
        path: system === "windows" ? "C:\\labferry\\config.toml" : "/etc/labferry/config.toml",
        text,
        system,
      })
        .diagnostics
    );
    return said.find((diagnostics) => !hasErrors(diagnostics)) ?? said[0];
  }
  if (keys.includes("name")) return lintPipelineText(text, at, registry);
  const unknown = keys.filter((key) => !["source", "before", "stage", "on_item_failed"].includes(key));
  assert.deepEqual(unknown, [], `${at}: neither a config nor a pipeline: ${unknown.join(", ")}`);
  return lintPipelineText(completed(tablesOf(text, at), registry), at, registry);
}

const blocks: Block[] = [];
for (const page of ["README.md", ...await pages()]) {
  blocks.push(...blocksOf(page, (await Deno.readTextFile(join(ROOT, page))).replaceAll("\r\n", "\n")));
}

for (const block of blocks) {
  Deno.test(`the TOML at ${block.at} passes lint`, () => {
    const found = lintBlock(block).filter(({ severity }) => severity === "error");
    assert.equal(renderDiagnostics(found), "");
  });
}

Deno.test("blocks of TOML are found, told apart and completed", () => {
  assert.ok(blocks.some(({ at }) => at.startsWith("README.md:")), "none in README.md");
  const block = (text: string, page = "") => blocksOf("p.md", `${page}\n\`\`\`toml\n${text}\n\`\`\`\n`)[0];
  const codes = (text: string, page?: string) => lintBlock(block(text, page)).map(({ code }) => code);
  assert.deepEqual(codes(`[backup]\nidle_days = "x"`), ["config/wrong-type"]);
  assert.deepEqual(codes(`name = "p"\n[source]\nuse = "outbox"`), ["pipeline/missing-key"]);
  assert.deepEqual(codes(`[[stage]]\nuse = "notify"\nid = "s"\nwith = { via = "slac" }`), ["pipeline/unknown-plugin"]);
  assert.ok(codes(`[[stage]]\nuse = "verify"\nwith = { place = "nas" }`).includes("safety/unknown-place"));
  assert.deepEqual(codes(`[[stage]]\nuse = "zip-it"`), ["pipeline/unknown-plugin"]);
  assert.deepEqual(codes(`[[stage]]\nuse = "zip-it"`, `\`\`\`ts\n({ name: "zip-it" })\n\`\`\``), []);
  assert.throws(() => codes(`[bakcup]\nidle_days = 3`), /neither a config nor a pipeline/);
  assert.equal(block("[[stage]").at, "p.md:2");
  assert.throws(() => codes("[[stage]"), /p\.md:2:\d+:\d+/);
  assert.deepEqual(blocksOf("p.md", "```toml case\nx = 1\n```\n"), []);
});
