/**
 * From a config file and the name of a pipeline to a checked pipeline, and from there to a run: what every command
 * that compiles or runs pipelines does in the same way.
 * @module
 */
import type { Plugin } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { runProcess } from "../core/io/exec.ts";
import { isAbsent } from "../core/io/io_errors.ts";
import { systemProcesses } from "../core/io/process_info.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import type { LoadedConfig } from "../core/pipeline/config.ts";
import { hasErrors, throwOnErrors } from "../core/pipeline/diagnostic.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { findPipeline } from "../core/pipeline/presets.ts";
import type { Logger } from "../core/ports.ts";
import { createRegistry } from "../core/registry.ts";
import type { Registry } from "../core/registry.ts";
import type { ProgressSink } from "../core/run/progress.ts";
import type { RunReport } from "../core/run/report.ts";
import type { EngineServices } from "../core/run/services.ts";
import { plugins } from "../plugins/mod.ts";
import { stages } from "../stages/mod.ts";
import type { Locations } from "./locations.ts";

/** What a workbench needs of the process. */
export interface WorkbenchOptions {
  locations: Locations;
  env: Readonly<Record<string, string | undefined>>;
  host: string;
  log: Logger;
  /** Where a child's output goes, line by line. */
  stderr: (line: string) => void;
}

/** A pipeline that was read, with everything found about it. `pipeline` is absent when it could not be compiled. */
export interface CheckedPipeline {
  file: string;
  pipeline?: CompiledPipeline;
  diagnostics: Diagnostic[];
}

export interface ExecuteOptions {
  dryRun?: boolean;
  only?: string;
  force?: true | string;
  stop: AbortSignal;
  abort: AbortSignal;
  progress?: ProgressSink;
}

/** The plugins of this program. */
export function shippedRegistry(): Registry {
  return createRegistry([...stages, ...plugins] as Plugin[]);
}

export class Workbench {
  readonly registry: Registry = shippedRegistry();
  readonly #options: WorkbenchOptions;

  constructor(options: WorkbenchOptions) {
    this.#options = options;
  }

  /** Reads the config. @throws {PipelineError} `config/not-found`, or the first fault with all of them in words; exit 2 */
  async config(): Promise<LoadedConfig> {
    const { configFile, configDir } = this.#options.locations;
    const text = await readText(configFile);
    if (text === undefined) {
      throw new PipelineError("config/not-found", `Cannot read the config "${configFile}": the file does not exist`, {
        stopsRun: 2,
        hint: `Write it (labferry install init makes a template in ${configDir}), or pass --config PATH.`,
      });
    }
    const { loaded, diagnostics } = loadConfig({ path: configFile, text });
    throwOnErrors(diagnostics);
    if (!loaded) throw new TypeError("a config without errors was not loaded");
    return loaded;
  }

  /** Compiles and lints (tiers 1 and 2) a pipeline by name or path; throws only when it cannot be found. */
  async check(nameOrPath: string, config: LoadedConfig): Promise<CheckedPipeline> {
    const { text, file } = await findPipeline(nameOrPath, { folder: config.folder, readText });
    const { pipeline, diagnostics } = compilePipeline({
      text,
      file,
      config,
      registry: this.registry,
      env: this.#options.env,
    });
    if (!pipeline || hasErrors(diagnostics)) return { file, diagnostics };
    return { file, pipeline, diagnostics: [...diagnostics, ...lintPipeline(pipeline)] };
  }

  /** A pipeline that lint accepts. @throws {PipelineError} exit 2, with every fault in words */
  async compile(nameOrPath: string, config: LoadedConfig): Promise<CompiledPipeline> {
    const { pipeline, diagnostics } = await this.check(nameOrPath, config);
    throwOnErrors(diagnostics);
    for (const found of diagnostics) this.#options.log.warn(found.message, { code: found.code });
    if (!pipeline) throw new TypeError(`pipeline "${nameOrPath}" without errors was not compiled`);
    return pipeline;
  }

  /** Runs a pipeline in the real world: disk, clock, journal. A dry run reads a copy of the journal (SAFETY S17). */
  async execute(compiled: CompiledPipeline, options: ExecuteOptions): Promise<RunReport> {
    const { runPipeline } = await import("../core/run/engine.ts");
    const { dryRun = false } = options;
    return await this.withServices({ dryRun }, (services) =>
      runPipeline({
        compiled,
        config: compiled.config.view,
        stateDir: this.#options.locations.stateDir,
        ...options,
        dryRun,
      }, services));
  }

  /** Opens disk and journal for `work` and closes them after it. */
  async withServices<T>({ dryRun }: { dryRun: boolean }, work: (services: EngineServices) => Promise<T>): Promise<T> {
    const { locations, log, host, stderr } = this.#options;
    const { Disk } = await import("../core/io/disk.ts");
    const { systemClock } = await import("../core/io/clock.ts");
    const { copyJournalForReading, openJournal } = await import("../core/journal/sqlite.ts");
    await using fs = new Disk();
    await using journal = dryRun
      ? await copyJournalForReading(locations.journalFile)
      : await openJournal(locations.journalFile);
    return await work({
      fs,
      clock: systemClock,
      log,
      journal,
      registry: this.registry,
      host,
      processes: systemProcesses,
      exec: (options) => runProcess(options, { signal: options.signal, log: options.log, stderr }),
    });
  }
}

/** Text of a file; undefined when it is not there. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PipelineError("config/unreadable", `Cannot read "${path}": ${reason}`, { cause: error, stopsRun: 2 });
  }
}
