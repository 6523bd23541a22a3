/** Config, plugins and pipelines, as commands need them. @module */
import { dirname, resolve } from "@std/path";
import { asPipelineError, PipelineError } from "../core/errors.ts";
import { ioError } from "../core/io/io_errors.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { LoadedConfig } from "../core/pipeline/config.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { renderDiagnostic, throwOnErrors } from "../core/pipeline/diagnostic.ts";
import { findPipeline, presetNames } from "../core/pipeline/presets.ts";
import type { PipelineText } from "../core/pipeline/presets.ts";
import { createRegistry } from "../core/registry.ts";
import type { Registry } from "../core/registry.ts";
import { plugins } from "../plugins/mod.ts";
import { stages } from "../stages/mod.ts";
import type { CommandContext } from "./command.ts";

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

/**
 * Reads the config and registers the plugins.
 * @throws {PipelineError} `config/…`, exit code 2, with every mistake of the file.
 */
export async function loadProject({ locations, logs }: CommandContext): Promise<Project> {
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
  if (loaded.config.plugins.files.length > 0) {
    logs.logger.warn("[plugins] files is set in the config, but this version knows built-in stages only", {
      files: loaded.config.plugins.files,
    });
  }
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
  return { found, compiled: pipeline, diagnostics: [...diagnostics, ...lintPipeline(pipeline)] };
}

/** The text of a pipeline by name, or by a path relative to the working folder. */
export function findPipelineText(
  name: string,
  { terminal, locations }: Pick<CommandContext, "terminal" | "locations">,
): Promise<PipelineText> {
  const isPath = /[\\/]|\.toml$/.test(name);
  return findPipeline(isPath ? resolve(terminal.cwd, name) : name, {
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
  return compiled;
}

/** Names of all pipelines: the presets and the files in the config folder, sorted. */
export async function pipelineNames({ locations }: Pick<CommandContext, "locations">): Promise<string[]> {
  const names = new Set(presetNames());
  try {
    for await (const entry of Deno.readDir(locations.pipelinesDir)) {
      if (entry.isFile && entry.name.endsWith(".toml")) names.add(entry.name.slice(0, -".toml".length));
    }
  } catch (error) {
    // Without the folder there are only the presets.
    if (!(error instanceof Deno.errors.NotFound)) throw ioError(error, { verb: "list", path: locations.pipelinesDir });
  }
  return [...names].sort();
}

/** Text of a file that says what to do; undefined when it is not there. @throws {PipelineError} `io/…`, exit code 2 */
export async function readTextIfThere(path: string, what: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
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
