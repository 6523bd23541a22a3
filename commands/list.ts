/** `list [KIND]`: pipelines and plugins. @module */
import type { Command, CommandContext } from "../cli/command.ts";
import { columns } from "../cli/format.ts";
import { builtinRegistry, findPipelineText, knownPlugins, pipelineNames } from "../cli/project.ts";
import { PipelineError } from "../core/errors.ts";
import type { ExternalOrigin } from "../core/external/external_stage.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import { parseToml, tomlValue } from "../core/pipeline/toml_document.ts";
import { PLUGIN_KINDS, type PluginKind, type Registry } from "../core/registry.ts";

interface Listed {
  name: string;
  summary: string;
  /** Of a stage from outside, or of a file that gives none. */
  external?: ExternalOrigin | { file: string; error: ListedError };
}

interface ListedError {
  code: string;
  message: string;
  hint: string;
}

export const run: Command = async (args, context) => {
  const shipped = builtinRegistry();
  const lists = new Map<string, () => Listed[] | Promise<Listed[]>>([["pipelines", () => listPipelines(context)]]);
  for (const kind of PLUGIN_KINDS) lists.set(`${kind}s`, () => listPlugins(shipped, kind));
  // Nothing but stages comes from outside: only who asks for them runs that code.
  lists.set("stages", () => listStages(context));
  const wanted = wantedKinds(args.find("KIND"), [...lists.keys()]);
  const result: Record<string, Listed[]> = {};
  for (const kind of wanted) result[kind] = await lists.get(kind)?.() ?? [];
  const { terminal } = context;
  if (args.has("json")) terminal.out(`${JSON.stringify(result, null, 2)}\n`);
  else {
    const width = Math.max(0, ...Object.values(result).flat().map(({ name }) => name.length));
    const sections = Object.entries(result).map(([kind, listed]) => {
      const rows = columns(listed.map((one) => [one.name.padEnd(width), `${one.summary}${mark(one)}`]));
      return wanted.length === 1 ? rows : [`${kind}:`, ...rows.map((row) => `  ${row}`)];
    });
    terminal.out(sections.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n"));
  }
  return 0;
};

function listPlugins(registry: Registry, kind: PluginKind): Listed[] {
  return registry.list(kind).map((plugin): Listed => {
    const { name, summary } = plugin;
    const external = registry.externalOf(plugin);
    return { name, summary, ...(external ? { external } : {}) };
  }).toSorted((a, b) => a.name < b.name ? -1 : 1);
}

/** The stages, and behind them the files that should give one and do not. */
async function listStages(context: CommandContext): Promise<Listed[]> {
  const { registry, broken } = await knownPlugins(context);
  const files = broken.map(({ file, code, message, hint }): Listed => ({
    name: "(broken)",
    summary: message,
    external: { file, error: { code, message, hint } },
  }));
  return [...listPlugins(registry, "stage"), ...files];
}

/** What a line says behind the summary of a stage from outside. */
function mark({ external }: Listed): string {
  if (external === undefined) return "";
  if ("error" in external) return ` [${external.error.code}]`;
  return `  (from ${external.file}, ${external.pinned ? "pinned" : "not pinned"})`;
}

function wantedKinds(given: string | undefined, known: readonly string[]): readonly string[] {
  if (given === undefined) return known;
  const found = known.find((kind) => kind === given || kind === `${given}s`);
  if (found !== undefined) return [found];
  throw new PipelineError("cli/no-kind", `Cannot list "${given}": there is no such kind, wanted ${known.join(", ")}`, {
    stopsRun: 2,
    hint: nameHint(given, known, "kinds"),
  });
}

async function listPipelines(context: CommandContext): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const name of await pipelineNames(context)) {
    const { text, file, origin } = await findPipelineText(name, context);
    const { document } = parseToml({ text, file });
    const value = document === undefined ? undefined : tomlValue(document.root);
    const summary = typeof value === "object" && value !== null && !Array.isArray(value) ? value.summary : undefined;
    const where = origin === "file" ? `  (${file})` : "";
    listed.push({
      name,
      summary: `${typeof summary === "string" ? summary : document ? "" : "cannot be read"}${where}`,
    });
  }
  return listed;
}
