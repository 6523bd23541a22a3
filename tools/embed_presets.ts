/**
 * Writes `core/pipeline/embedded_presets.ts` from `pipelines/*.toml`: `deno run -A tools/embed_presets.ts`. A text
 * import would do the same, but needs a flag in the older runtime that checks compiled programs.
 * @module
 */
import { join } from "@std/path";

const ROOT = join(import.meta.dirname ?? ".", "..");

/** The module's text for presets by name. */
export function renderEmbeddedPresets(presets: Readonly<Record<string, string>>): string {
  const entries = Object.keys(presets).toSorted().map((name) =>
    `  ${JSON.stringify(name)}: \`${presets[name].replace(/[\\`]|\$\{/g, "\\$&")}\`,\n`
  );
  return "// Made by tools/embed_presets.ts from pipelines/*.toml; edit those.\n" +
    "// deno-fmt-ignore-file\n\n" +
    "/** Pipelines that come with the program, by name. */\n" +
    `export const EMBEDDED_PRESETS: Readonly<Record<string, string>> = {\n${entries.join("")}};\n`;
}

/** Reads the presets of a checkout, line ends as LF. */
export async function readPresets(root: string): Promise<Record<string, string>> {
  const presets: Record<string, string> = {};
  for await (const entry of Deno.readDir(join(root, "pipelines"))) {
    if (!entry.isFile || !entry.name.endsWith(".toml")) continue;
    const text = await Deno.readTextFile(join(root, "pipelines", entry.name));
    presets[entry.name.replace(/\.toml$/, "")] = text.replaceAll("\r\n", "\n");
  }
  return presets;
}

if (import.meta.main) {
  const target = join(ROOT, "core", "pipeline", "embedded_presets.ts");
  await Deno.writeTextFile(target, renderEmbeddedPresets(await readPresets(ROOT)));
}
