/**
 * Pipelines that come with the program, and what an operator puts in their place.
 * @module
 */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import { stringify } from "@std/toml/stringify";
import { PipelineError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { CompiledPart, CompiledPipeline, CompiledStage } from "./compile.ts";
import { hostSystem, type PathSystem } from "../io/paths.ts";
import { EMBEDDED_PRESETS } from "./embedded_presets.ts";
import { nameHint } from "./nearest.ts";
import type { Plugin } from "../contract.ts";

/** The text of a pipeline and where it came from. */
export interface PipelineText {
  text: string;
  /** For messages: a path, or `embedded:pipelines/<name>.toml`. */
  file: string;
  origin: "file" | "embedded";
}

export interface PresetOptions {
  /** Folder of the config file. */
  folder: string;
  /** Text of a file, or undefined when it is not there; any other failure throws. */
  readText(path: string): Promise<string | undefined>;
  system?: PathSystem;
}

/** How the names of files end that hold a case of a pipeline, and no pipeline. */
export const CASE_SUFFIX = ".case.toml";

/** Names of the embedded presets, sorted. */
export function presetNames(): string[] {
  return Object.keys(EMBEDDED_PRESETS).toSorted();
}

/**
 * Finds a pipeline by name or path. A name means `<config dir>/pipelines/<name>.toml`, else the embedded preset;
 * whatever ends in `.toml` or holds a separator is a path.
 * @throws {PipelineError} `pipeline/not-found`, exit code 2.
 */
export async function findPipeline(nameOrPath: string, options: PresetOptions): Promise<PipelineText> {
  const path = (options.system ?? hostSystem) === "windows" ? windows : posix;
  if (/[\\/]|\.toml$/.test(nameOrPath)) {
    const text = await options.readText(nameOrPath);
    if (text !== undefined) return { text, file: nameOrPath, origin: "file" };
    throw new PipelineError("pipeline/not-found", `Cannot read pipeline "${nameOrPath}": the file does not exist`, {
      hint: `give the path of a pipeline file, or one of: ${presetNames().join(", ")}`,
      stopsRun: 2,
    });
  }
  const file = path.join(options.folder, "pipelines", `${nameOrPath}.toml`);
  const text = await options.readText(file);
  if (text !== undefined) return { text, file, origin: "file" };
  if (Object.hasOwn(EMBEDDED_PRESETS, nameOrPath)) {
    return { text: EMBEDDED_PRESETS[nameOrPath], file: `embedded:pipelines/${nameOrPath}.toml`, origin: "embedded" };
  }
  throw new PipelineError(
    "pipeline/not-found",
    `Cannot find pipeline "${nameOrPath}": no preset has that name and "${file}" does not exist`,
    { hint: nameHint(nameOrPath, presetNames(), "presets"), stopsRun: 2 },
  );
}

const HIDDEN = "***";
const SECRET_KEY = /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|access_?key/i;

/**
 * Returns a pipeline as TOML in one normal form: defaults of the engine filled in, templates of the config resolved.
 * Secrets are left out: `${env.…}` stays as it is written, options whose name speaks of a secret and passwords within
 * URLs become `***`.
 */
export function echoPipeline(pipeline: CompiledPipeline): string {
  const tree: Record<string, unknown> = { name: pipeline.name };
  if (pipeline.summary !== "") tree.summary = pipeline.summary;
  tree.source = { use: pipeline.source.use, ...shownOptions(pipeline.source) };
  if (pipeline.before.length > 0) tree.before = pipeline.before.map((stage) => shownStage(stage));
  tree.stage = pipeline.stages.map((stage) => ({ ...shownStage(stage), after: [...stage.after] }));
  if (pipeline.onItemFailed.length > 0) tree.on_item_failed = pipeline.onItemFailed.map((stage) => shownStage(stage));
  return stringify(tree).trimStart();
}

function shownStage(stage: CompiledStage): Record<string, unknown> {
  const { retry } = stage;
  return {
    use: stage.use,
    id: stage.id,
    on_error: stage.onError,
    ...(stage.timeoutMs === undefined ? {} : { timeout: `${stage.timeoutMs}ms` }),
    ...(stage.parallel === undefined ? {} : { parallel: stage.parallel }),
    ...(retry === undefined ? {} : {
      retry: {
        attempts: retry.attempts,
        first: `${retry.firstMs}ms`,
        ...(retry.maxMs === undefined ? {} : { max: `${retry.maxMs}ms` }),
        on: [...retry.on],
      },
    }),
    ...shownOptions(stage),
  };
}

function shownOptions(part: CompiledPart<Plugin>): Record<string, unknown> {
  return Object.keys(part.written).length === 0 ? {} : { with: scrubbed(part.written) };
}

function scrubbed(value: Json): unknown {
  if (typeof value === "string") return value.replace(/(\w:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${HIDDEN}@`);
  if (Array.isArray(value)) return value.map(scrubbed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      SECRET_KEY.test(key) && !(typeof entry === "string" && entry.includes("${env.")) ? HIDDEN : scrubbed(entry),
    ]),
  );
}
