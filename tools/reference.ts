/**
 * Writes the pages of `docs/reference/` from the program itself: `deno task reference`. A test compares them.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { helpText } from "../cli/help.ts";
import { renderPlugin } from "../cli/render_plugin.ts";
import { COMMANDS } from "../cli/table.ts";
import { renderLintRules } from "../core/lint/rules.ts";
import { plugins } from "../plugins/mod.ts";
import { stages } from "../stages/mod.ts";
import { errorsIn, type ErrorUse } from "./reference/errors.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const MADE = "Made by `deno task reference`; edit the source it is made from.";
/** Folders whose code raises errors that people can meet. */
const SOURCES = ["cli", "commands", "core", "plugins", "stages"];

/** The pages by their names. */
export async function referencePages(): Promise<Record<string, string>> {
  return {
    "cli.md": page(
      "Commands",
      "What `labferry COMMAND --help` says.",
      commandPaths().map(([title, path]) => ({
        title,
        text: helpText(COMMANDS, path, 100),
      })),
    ),
    "stages.md": page("Stages", "What `labferry show NAME` says of each stage.", named(stages)),
    "plugins.md": page("Other plugins", "Sources, notifiers, standards, stores and schedulers.", named(plugins)),
    "errors.md": renderErrors(await allErrors()),
    "lint_rules.md": renderLintRules(),
  };
}

function commandPaths(): [title: string, path: string[]][] {
  const paths = COMMANDS.flatMap(({ name, subcommands }) =>
    subcommands === undefined ? [[name]] : subcommands.map((sub) => [name, sub.name])
  );
  return [["labferry", []], ...paths.map((path): [string, string[]] => [`labferry ${path.join(" ")}`, path])];
}

function named(list: typeof plugins | typeof stages) {
  return [...list].sort((a, b) => `${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1)
    .map((plugin) => ({ title: plugin.name, text: renderPlugin(plugin) }));
}

function page(title: string, about: string, parts: { title: string; text: string }[]): string {
  const blocks = parts.map(({ title, text }) => `## ${title}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`);
  return [`# ${title}\n`, `${about} ${MADE}\n`, ...blocks].join("\n");
}

async function allErrors(): Promise<ErrorUse[]> {
  const found: ErrorUse[] = [];
  for (const folder of SOURCES) {
    for await (const file of typescriptIn(folder)) found.push(...errorsIn(await read(file)));
  }
  return found;
}

async function* typescriptIn(folder: string): AsyncIterable<string> {
  const entries = [...Deno.readDirSync(join(ROOT, folder))].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* typescriptIn(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}

async function read(file: string): Promise<string> {
  return (await Deno.readTextFile(join(ROOT, file))).replaceAll("\r\n", "\n");
}

function renderErrors(uses: readonly ErrorUse[]): string {
  const byCode = Map.groupBy(uses, ({ code }) => code);
  const parts = [...byCode].sort(([a], [b]) => a < b ? -1 : 1).map(([code, uses]) => {
    const lines = uses.map(({ message, hint }) => `- ${message}${hint === undefined ? "" : `\n  What to do: ${hint}`}`);
    return `### \`${code}\`\n\n${[...new Set(lines)].join("\n")}\n`;
  });
  const about =
    "Every error by its code, as the source words it; `…` stands for what varies. What each means for the " +
    "data, and what to do at night, is in [operate.md](../operate.md); what lint says is in " +
    "[lint_rules.md](lint_rules.md).";
  return [`# Errors\n`, `${about} ${MADE}\n`, ...parts].join("\n");
}

if (import.meta.main) {
  const folder = join(ROOT, "docs", "reference");
  for (const [name, text] of Object.entries(await referencePages())) await Deno.writeTextFile(join(folder, name), text);
}
