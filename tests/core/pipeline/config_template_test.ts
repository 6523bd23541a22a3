import assert from "node:assert/strict";
import { CONFIG_SCHEMA, configKeys, loadConfig } from "../../../core/pipeline/config.ts";
import { renderConfigTemplate } from "../../../core/pipeline/config_template.ts";
import type { PathSystem } from "../../../core/io/paths.ts";

const SYSTEMS: readonly PathSystem[] = ["windows", "posix"];

function load(text: string, system: PathSystem) {
  const path = system === "windows" ? "C:\\lab\\config.toml" : "/lab/config.toml";
  return loadConfig({ path, text, system });
}

function sectionsOf(at: readonly string[]): string[][] {
  return configKeys(at).flatMap((key) => {
    const inner = sectionsOf([...at, key]);
    return configKeys([...at, key]).length === 0 ? [] : [[...at, key], ...inner];
  });
}

Deno.test("renderConfigTemplate() loads without a word and sets nothing", () => {
  for (const system of SYSTEMS) {
    const { loaded, diagnostics } = load(renderConfigTemplate(system), system);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(loaded?.config, load("", system).loaded?.config);
  }
});

Deno.test("renderConfigTemplate() still loads when every key is set as it is shown", () => {
  for (const system of SYSTEMS) {
    const set = renderConfigTemplate(system).replace(/^# (?=[a-z_]+ = )/gm, "");
    const { loaded, diagnostics } = load(set, system);
    assert.deepEqual(diagnostics, []);
    for (const section of sectionsOf([])) {
      const there = section.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], loaded?.config);
      assert.deepEqual(Object.keys(there as object).sort(), configKeys(section).sort(), section.join("."));
    }
  }
});

interface Described {
  description?: string;
  properties?: Record<string, Described>;
}

function descriptions({ description, properties = {} }: Described): string[] {
  return [...(description === undefined ? [] : [description]), ...Object.values(properties).flatMap(descriptions)];
}

Deno.test("renderConfigTemplate() holds every section, key and description of the schema", () => {
  const text = renderConfigTemplate("posix");
  const words = text.replaceAll("\n# ", " ");
  for (const section of sectionsOf([])) {
    assert.ok(text.includes(`\n[${section.join(".")}]\n`), section.join("."));
    for (const key of configKeys(section)) {
      if (configKeys([...section, key]).length === 0) assert.match(text, new RegExp(`^# ${key} = `, "m"));
    }
  }
  const all = descriptions(CONFIG_SCHEMA.toJSONSchema({ io: "input" }) as Described);
  assert.ok(all.length > 20);
  for (const description of all) assert.ok(words.includes(description), description);
});

Deno.test("renderConfigTemplate() says what holds where a key is left out", () => {
  const text = renderConfigTemplate("windows");
  assert.match(text, /# Days without a change .* Default: 14\.\n# idle_days = 14\n/);
  assert.match(text, /Not set by default\. An example:\n# source_root = "D:\/Fusion"\n/);
  assert.match(text, /One of "starttls", "tls", "none"\. Default: "starttls"\.\n/);
  assert.match(renderConfigTemplate("posix"), /# source_root = "\/data\/fusion"\n/);
  for (const line of text.split("\n")) assert.ok(line.length <= 120, line);
});
