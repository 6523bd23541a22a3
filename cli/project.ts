/** Config, plugins and pipelines, as commands need them. @module */
import { dirname, resolve } from "@std/path";
import { asPipelineError, PipelineError } from "../core/errors.ts";
import { ioError } from "../core/io/io_errors.ts";
import { brokenError, type BrokenFile, type ExternalStage } from "../core/external/external_stage.ts";
import { eventsNamed } from "../core/lint/events.ts";
import { lintName } from "../core/lint/name.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { LoadedConfig } from "../core/pipeline/config.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { renderDiagnostic, throwOnErrors } from "../core/pipeline/diagnostic.ts";
import { CASE_SUFFIX, findPipeline, presetNames } from "../core/pipeline/presets.ts";
import type { PipelineText } from "../core/pipeline/presets.ts";
import { createRegistry } from "../core/registry.ts";
import type { Registry } from "../core/registry.ts";
import { decodeMarked, decodeMarkedList } from "../core/text.ts";
import { plugins } from "../plugins/mod.ts";
import { stages } from "../stages/mod.ts";
import type { CommandContext } from "./command.ts";
import { loadExternalStages } from "./external.ts";
import { definedEvents } from "./known_events.ts";

/** What is installed here: the config in force and the plugins. */
export interface Project {
  config: LoadedConfig;
  registry: Registry;
}

/** A pipeline as far as it could be compiled, and everything lint says of it without looking at the world. */
export interface CheckedPipeline {
  found: PipelineText;
  compiled?: CompiledPipeline;
  diagnostics: Diagnostic[];
}

/** Returns the plugins that come with labferry. */
export function builtinRegistry(): Registry {
  return createRegistry([...stages, ...plugins]);
}

function registryWith(external: readonly ExternalStage[]): Registry {
  return createRegistry([...stages, ...plugins], { external });
}

/** The plugins that are known here, and the files that give none. */
export interface KnownPlugins {
  registry: Registry;
  broken: readonly BrokenFile[];
}

/**
 * The plugins of this installation, for commands that only tell of them: what is broken is told, and hinders nothing.
 * Without a config that can be read, those that come with labferry.
 */
export async function knownPlugins(context: CommandContext): Promise<KnownPlugins> {
  let project: Project;
  try {
    project = await loadShippedProject(context);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    // No config, no stages of one's own.
    if (error.code !== "config/not-found" || context.locations.configIsNamed) {
      context.log.warn(`The stages from outside are not known: ${error.message}`);
    }
    return { registry: builtinRegistry(), broken: [] };
  }
  return await loadKnownPlugins(project.config, context.terminal);
}

/** The plugins that can be had with this config. */
export async function loadKnownPlugins(
  config: LoadedConfig,
  terminal: CommandContext["terminal"],
): Promise<KnownPlugins> {
  const { stages: external, broken } = await loadExternalStages(config, builtinRegistry(), terminal);
  return { registry: registryWith(external), broken };
}

/**
 * Reads the config and registers the plugins, those from outside too: their code is run.
 * @throws {PipelineError} `config/…`, `plugins/…`, exit code 2, with every mistake.
 */
export async function loadProject(context: CommandContext): Promise<Project> {
  const { config, registry: shipped } = await loadShippedProject(context);
  const { stages: external, broken } = await loadExternalStages(config, shipped, context.terminal);
  if (broken.length > 0) throw brokenError(broken);
  return external.length === 0 ? { config, registry: shipped } : { config, registry: registryWith(external) };
}

/**
 * Reads the config, with the plugins that come with labferry: for commands that run no pipeline of the laboratory, and
 * must work whatever is wrong with its stages.
 * @throws {PipelineError} `config/…`, exit code 2, with every mistake of the file.
 */
export async function loadShippedProject({ locations, logs }: CommandContext): Promise<Project> {
  const { configFile } = locations;
  const text = await readTextIfThere(configFile, "config");
  if (text === undefined) {
    throw new PipelineError("config/not-found", `Cannot read the config "${configFile}": the file does not exist`, {
      stopsRun: 2,
      hint: locations.configIsNamed
        ? "Check the path given by --config or LABFERRY_CONFIG"
        : "labferry install init writes one to fill in; --config PATH names another",
    });
  }
  const { loaded, diagnostics } = loadConfig({ path: configFile, text });
  throwOnErrors(diagnostics);
  for (const diagnostic of diagnostics) logs.logger.warn(renderDiagnostic(diagnostic));
  if (loaded === undefined) throw new TypeError("the config has no error and was not loaded");
  return { config: loaded, registry: builtinRegistry() };
}

/** Finds, compiles and lints a pipeline. @throws {PipelineError} `pipeline/not-found` */
export async function checkPipeline(
  project: Project,
  name: string,
  { terminal, locations }: CommandContext,
): Promise<CheckedPipeline> {
  const found = await findPipelineText(name, { terminal, locations });
  const { config, registry } = project;
  const { pipeline, diagnostics } = compilePipeline({ ...found, config, registry, env: terminal.env });
  if (pipeline === undefined) return { found, diagnostics };
  const others = eventsNamed(pipeline).length > 0 ? await pipelineTexts({ terminal, locations }) : [];
  const events = definedEvents(others, registry);
  const names = isPath(name) ? [] : lintName(pipeline, name);
  return { found, compiled: pipeline, diagnostics: [...diagnostics, ...names, ...lintPipeline(pipeline, { events })] };
}

/** The texts of all pipelines by name. */
async function pipelineTexts(context: Pick<CommandContext, "terminal" | "locations">) {
  const texts: { name: string; text: string }[] = [];
  for (const name of await pipelineNames(context)) {
    // One that cannot be read is told of when it is asked for.
    const found = await findPipelineText(name, context).catch(() => undefined);
    texts.push({ name, text: found?.text ?? "" });
  }
  return texts;
}

function isPath(name: string): boolean {
  return /[\\/]|\.toml$/.test(name);
}

/** The text of a pipeline by name, or by a path relative to the working folder. */
export function findPipelineText(
  name: string,
  { terminal, locations }: Pick<CommandContext, "terminal" | "locations">,
): Promise<PipelineText> {
  return findPipeline(isPath(name) ? resolve(terminal.cwd, name) : name, {
    folder: locations.configDir,
    readText: (path) => readTextIfThere(path, "pipeline"),
  });
}

/**
 * Returns a pipeline that passes lint; warnings go to the log.
 * @throws {PipelineError} the first error's code, exit code 2, with all of them in the message.
 */
export async function requirePipeline(
  project: Project,
  name: string,
  context: CommandContext,
): Promise<CompiledPipeline> {
  const { compiled, diagnostics } = await checkPipeline(project, name, context);
  throwOnErrors(diagnostics);
  for (const diagnostic of diagnostics) context.log.warn(renderDiagnostic(diagnostic));
  if (compiled === undefined) throw new TypeError(`pipeline "${name}" has no error and was not compiled`);
  for (const { id, external } of [...compiled.before, ...compiled.stages, ...compiled.onItemFailed]) {
    if (external === undefined) continue;
    const { file, sha256, pinned } = external;
    context.terminal.outside?.uses(file, id);
    context.log.info(`stage "${id}" is code from outside: ${file}`, { sha256, pinned });
  }
  return compiled;
}

/** Names of all pipelines: the presets and the files in the config folder, sorted. */
export async function pipelineNames({ locations }: Pick<CommandContext, "locations">): Promise<string[]> {
  const own = (await tomlFiles(locations.pipelinesDir)).filter((name) => !name.endsWith(CASE_SUFFIX));
  return [...new Set([...presetNames(), ...own.map((name) => name.slice(0, -".toml".length))])].sort();
}

/** Names of the TOML files of a folder, sorted; none where there is no folder. */
export async function tomlFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { isFile, name } of Deno.readDir(folder)) {
      if (isFile && name.endsWith(".toml")) names.push(name);
    }
  } catch (error) {
    // Without the folder there are only the presets.
    if (!(error instanceof Deno.errors.NotFound)) throw ioError(error, { verb: "list", path: folder });
  }
  return names.sort();
}

/** Text of a file that people keep as they like, also as UTF-16; otherwise as `readTextIfThere`. */
export function readListIfThere(path: string, what: string): Promise<string | undefined> {
  return readTextIfThere(path, what, decodeMarkedList);
}

/**
 * Text of a file that says what to do; undefined when it is not there. What is no UTF-8 in it is marked, for whoever
 * reads it to refuse (`decodeMarked`).
 * @throws {PipelineError} `io/…`, exit code 2
 */
export async function readTextIfThere(
  path: string,
  what: string,
  decode: (bytes: Uint8Array) => string = decodeMarked,
): Promise<string | undefined> {
  try {
    return decode(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    const { code, message, cause } = asPipelineError(ioError(error, { verb: `read the ${what}`, path }), "read a file");
    throw new PipelineError(code, message, {
      cause,
      stopsRun: 2,
      hint: code === "io/denied"
        ? "Give the account that runs labferry the right to read this file"
        : "A file that can be read is wanted here",
    });
  }
}

/** Makes the state folder, for the journal. */
export async function makeStateDir(journalFile: string): Promise<void> {
  const folder = dirname(journalFile);
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    throw ioError(error, { verb: "make the state folder", path: folder });
  });
}
