/** The pipelines of a case: found, changed by its options, compiled, and held against what the case says of them. @module */
import { stringify } from "@std/toml/stringify";
import type { Json } from "../core/json.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { hasErrors } from "../core/pipeline/diagnostic.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import type { PipelineText } from "../core/pipeline/presets.ts";
import { parseToml, type TomlPath, tomlValue } from "../core/pipeline/toml_document.ts";
import { caseDiagnostic, type CaseFile } from "./case_file.ts";
import type { World } from "./world.ts";

/** Where the pipelines that a case names come from. */
export interface PipelineFinder {
  /** Returns the text of a pipeline, by its name or as the path of a `.toml` file; undefined when there is none. */
  find(name: string): Promise<PipelineText | undefined>;
  /** Names that can be had, for hints. */
  names(): Promise<readonly string[]>;
}

/** A pipeline ready to run. */
export interface CasePipeline {
  text: string;
  file: string;
  compiled: CompiledPipeline;
}

/** The pipelines of a case by the name it gives them. */
export interface CasePipelines {
  pipelines: Map<string, CasePipeline>;
  /** What is wrong with them, or with what the case says of them. */
  diagnostics: Diagnostic[];
}

/** Finds and compiles every pipeline a case names. */
export async function preparePipelines(file: CaseFile, world: World, finder: PipelineFinder): Promise<CasePipelines> {
  const pipelines = new Map<string, CasePipeline>();
  const diagnostics: Diagnostic[] = [];
  for (const { name, path } of namedPipelines(file)) {
    if (pipelines.has(name)) continue;
    const found = await finder.find(name);
    if (found === undefined) {
      diagnostics.push(caseDiagnostic(file, path, {
        code: "case/unknown-pipeline",
        message: `Cannot find pipeline "${name}" of case "${file.name}": neither beside the case nor among the presets`,
        hint: nameHint(name, await finder.names(), "pipelines") ??
          'a case is called <pipeline>.<what it shows>.case.toml, or says pipeline = "…"',
      }));
      continue;
    }
    const made = compile(file, found, { world, isMain: name === file.pipeline });
    diagnostics.push(...made.diagnostics.filter(({ severity }) => severity === "error"));
    if (made.pipeline) pipelines.set(name, made.pipeline);
  }
  if (!hasErrors(diagnostics)) diagnostics.push(...stageIds(file, pipelines));
  return { pipelines, diagnostics };
}

function namedPipelines({ pipeline, spec }: CaseFile): { name: string; path: TomlPath }[] {
  const named: { name: string; path: TomlPath }[] = [{ name: pipeline, path: ["pipeline"] }];
  for (const [at, run] of spec.run.entries()) {
    if (run.pipeline !== undefined) named.push({ name: run.pipeline, path: ["run", at, "pipeline"] });
    for (const [nth, { other_host }] of run.meanwhile.entries()) {
      if (other_host?.pipeline === undefined) continue;
      named.push({ name: other_host.pipeline, path: ["run", at, "meanwhile", nth, "other_host", "pipeline"] });
    }
  }
  return named;
}

function compile(
  file: CaseFile,
  { text, file: path }: PipelineText,
  { world, isMain }: { world: World; isMain: boolean },
): { pipeline?: CasePipeline; diagnostics: Diagnostic[] } {
  const first = world.compile(text, { file: path });
  const compiled = first.pipeline;
  const { options } = file.spec;
  if (compiled === undefined || hasErrors(first.diagnostics)) return { diagnostics: first.diagnostics };
  if (!isMain || Object.keys(options).length === 0) {
    return { pipeline: { text, file: path, compiled }, diagnostics: [] };
  }
  const parts = [
    { ...compiled.source, id: "source" },
    ...compiled.before,
    ...compiled.stages,
    ...compiled.onItemFailed,
  ];
  const unknown = Object.keys(options).filter((id) => !parts.some((part) => part.id === id));
  if (unknown.length > 0) {
    return {
      diagnostics: unknown.map((id) =>
        noStage(file, ["options", id], { at: "key", id, ids: parts.map(({ id }) => id) })
      ),
    };
  }
  const changed = withOptions(
    text,
    parts.filter(({ id }) => Object.hasOwn(options, id)).map(({ id, path }) => ({
      path,
      options: options[id] as { [key: string]: Json },
    })),
  );
  const named = `${path} with the options of ${file.file}`;
  const second = world.compile(changed, { file: named });
  if (second.pipeline === undefined || hasErrors(second.diagnostics)) return { diagnostics: second.diagnostics };
  return { pipeline: { text: changed, file: named, compiled: second.pipeline }, diagnostics: [] };
}

/** The text of a pipeline with other options. Its layout and comments are lost; it is only run. */
function withOptions(text: string, changes: readonly { path: TomlPath; options: { [key: string]: Json } }[]): string {
  const { document } = parseToml({ file: "", text });
  if (document === undefined) throw new TypeError("a pipeline that was compiled can be read again");
  const tree = tomlValue(document.root);
  for (const { path, options } of changes) {
    const part = path.reduce((at: Json, step) => (at as { [key: string]: Json })[step], tree) as { with?: Json };
    part.with = { ...part.with as { [key: string]: Json } | undefined, ...options };
  }
  return stringify(tree as Record<string, unknown>);
}

function noStage(
  file: CaseFile,
  path: TomlPath,
  { id, ids, at }: { id: string; ids: readonly string[]; at?: "key" },
): Diagnostic {
  return caseDiagnostic(file, path, {
    at,
    code: "case/unknown-stage",
    message: `Cannot find stage "${id}": the pipeline of this run has no such stage`,
    hint: nameHint(id, ids, "its stages"),
  });
}

/** Stages that the case speaks of and its pipelines do not have. */
function stageIds(file: CaseFile, pipelines: ReadonlyMap<string, CasePipeline>): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const [at, run] of file.spec.run.entries()) {
    const pipeline = pipelines.get(run.pipeline ?? file.pipeline);
    const ids = pipeline?.compiled.stages.map(({ id }) => id) ?? [];
    const check = (id: string | undefined, path: TomlPath, at?: "key") => {
      if (id !== undefined && !ids.includes(id)) found.push(noStage(file, path, { id, ids, at }));
    };
    for (const [nth, what] of run.meanwhile.entries()) {
      const path = ["run", at, "meanwhile", nth];
      check(what.before, [...path, "before"]);
      check(what.after, [...path, "after"]);
    }
    if (typeof run.force === "string") check(run.force, ["run", at, "force"]);
    for (const [name, item] of Object.entries(run.items ?? {})) {
      if (typeof item === "string") continue;
      const path = ["run", at, "items", name];
      for (const id of Object.keys(item.stages)) check(id, [...path, "stages", id], "key");
      check(item.stage, [...path, "stage"]);
    }
  }
  return found;
}
