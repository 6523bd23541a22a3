/**
 * Writes `core/pipeline/embedded_presets.ts` and `embedded_cases.ts` from `pipelines/*.toml`:
 * `deno run -A tools/embed_presets.ts`. A text import would do the same, but needs a flag in the older runtime that
 * checks compiled programs.
 * @module
 */
import { join } from "@std/path";

const ROOT = join(import.meta.dirname ?? ".", "..");
const CASE_SUFFIX = ".case.toml";

/** The module's text for presets by name. */
export function renderEmbeddedPresets(presets: Readonly<Record<string, string>>): string {
  return render(presets, {
    files: "pipelines/*.toml",
    doc: "Pipelines that come with the program, by name.",
    name: "EMBEDDED_PRESETS",
  });
}

/** The module's text for the presets' cases by name. */
export function renderEmbeddedCases(cases: Readonly<Record<string, string>>): string {
  return render(cases, {
    files: `pipelines/*${CASE_SUFFIX}`,
    doc: "Cases of the pipelines that come with the program, by name.",
    name: "EMBEDDED_CASES",
  });
}

function render(
  texts: Readonly<Record<string, string>>,
  { files, doc, name }: { files: string; doc: string; name: string },
): string {
  const entries = Object.keys(texts).toSorted().map((key) =>
    `  ${JSON.stringify(key)}: \`${texts[key].replace(/[\\`]|\$\{/g, "\\$&")}\`,\n`
  );
  return `// Made by tools/embed_presets.ts from ${files}; edit those.\n` +
    "// deno-fmt-ignore-file\n\n" +
    `/** ${doc} */\n` +
    `export const ${name}: Readonly<Record<string, string>> = {\n${entries.join("")}};\n`;
}

/** Reads the presets of a checkout, line ends as LF. */
export function readPresets(root: string): Promise<Record<string, string>> {
  return read(root, (name) => name.endsWith(CASE_SUFFIX) ? undefined : name.replace(/\.toml$/, ""));
}

/** Reads the presets' cases of a checkout, line ends as LF. */
export function readCases(root: string): Promise<Record<string, string>> {
  return read(root, (name) => name.endsWith(CASE_SUFFIX) ? name.slice(0, -CASE_SUFFIX.length) : undefined);
}

async function read(root: string, key: (name: string) => string | undefined): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for await (const { isFile, name } of Deno.readDir(join(root, "pipelines"))) {
    const as = isFile && name.endsWith(".toml") ? key(name) : undefined;
    if (as === undefined) continue;
    texts[as] = (await Deno.readTextFile(join(root, "pipelines", name))).replaceAll("\r\n", "\n");
  }
  return texts;
}

if (import.meta.main) {
  const folder = join(ROOT, "core", "pipeline");
  await Deno.writeTextFile(join(folder, "embedded_presets.ts"), renderEmbeddedPresets(await readPresets(ROOT)));
  await Deno.writeTextFile(join(folder, "embedded_cases.ts"), renderEmbeddedCases(await readCases(ROOT)));
}
