/**
 * The compiler: from the text of a pipeline file to stages with checked options, places and order.
 * @module
 */
import type { z } from "zod";
import type {
  AnySource,
  AnyStage,
  Fact,
  Item,
  Json,
  PlaceDeclaration,
  Plugin,
  SourceRoot,
  StageFacts,
} from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { ExternalOrigin } from "../external/external_stage.ts";
import { normalPlace } from "../objects/keys.ts";
import type { PluginKind, Registry } from "../registry.ts";
import { placesFault } from "./check_places.ts";
import type { LoadedConfig } from "./config.ts";
import { resolvePath } from "./config_paths.ts";
import { diagnose, type Diagnostic, hasErrors, type Span, type Where } from "./diagnostic.ts";
import { effectiveFacts } from "./effective_facts.ts";
import { type FileEntry, type PipelineFile, readPipelineFile, type RetrySettings } from "./pipeline_file.ts";
import { checkSchema } from "./schema_diagnostics.ts";
import { walkSchema } from "./schema_walk.ts";
import { itemValues, literal, resolveTree, resolveTreeOrThrow, type TemplateScope } from "./template.ts";
import { nodeAt, parseToml, type TomlDocument, type TomlPath, valueSpan } from "./toml_document.ts";
import { spanWithin } from "./toml_string.ts";
import { unknownPlugin, wrongItem } from "./unknown_plugin.ts";
import { checkUses } from "./uses.ts";
import { writtenAt } from "./written.ts";

/** A plugin at one position of the pipeline, its options checked. */
export interface CompiledPart<P> {
  id: string;
  use: string;
  plugin: P;
  /** The parsed options, as the plugin's schema gives them. */
  // deno-lint-ignore no-explicit-any
  options: any;
  /** What stood under `with` after templates, before the schema; `${env.…}` and `${item.…}` are left as they are. */
  written: { [key: string]: Json };
  /** Where it stands in the file, for example `["stage", 3]`. */
  path: TomlPath;
  /** Where its `use` stands. */
  position: Span & { file: string };
}

export type CompiledSource = CompiledPart<AnySource>;

export interface CompiledStage extends CompiledPart<AnyStage> {
  retry?: RetrySettings;
  timeoutMs?: number;
  parallel?: number;
  onError: "fail" | "warn";
  /** Ids of the stages before it. */
  after: readonly string[];
  /** What the stage needs, gives, kills and destroys with these options. */
  facts: StageFacts;
  /** What it says it gives and what does not count (`effectiveFacts`). */
  uncounted: readonly Fact[];
  /** Where it comes from, if it does not come with labferry. */
  external?: ExternalOrigin;
  /**
   * Set when `with` holds `${item.…}`: the options for one item. The engine opens such a stage once per item.
   * Throws `template/unsafe` when a value of the item is not one path segment, `options/…` when the schema refuses.
   */
  forItem?: (item: Pick<Item, "name" | "data">) => unknown;
}

export interface CompiledPipeline {
  name: string;
  summary: string;
  file: string;
  source: CompiledSource;
  sourceRoot?: SourceRoot;
  before: CompiledStage[];
  /** In a stable topological order. */
  stages: CompiledStage[];
  onItemFailed: CompiledStage[];
  places: PlaceDeclaration[];
  /** The config it was compiled with. */
  config: LoadedConfig;
  document: TomlDocument;
}

export interface CompileInput {
  text: string;
  /** Path of the pipeline file, for messages. */
  file: string;
  config: LoadedConfig;
  registry: Registry;
  env: Readonly<Record<string, string | undefined>>;
}

export interface CompileResult {
  /** Absent when there is an error. */
  pipeline?: CompiledPipeline;
  diagnostics: Diagnostic[];
  document?: TomlDocument;
}

/** Compiles a pipeline file. Nothing outside is looked at, and nothing is thrown for what a file may hold. */
export function compilePipeline(input: CompileInput): CompileResult {
  const { document, diagnostics } = parseToml(input);
  if (document === undefined || hasErrors(diagnostics)) return { diagnostics, document };
  const read = readPipelineFile(document, { optionsOf: optionsIn(input.registry) });
  diagnostics.push(...read.diagnostics);
  if (read.file === undefined) return { diagnostics, document };
  const pipeline = new Compiler(input, { document, diagnostics }).compile(read.file);
  return { ...(hasErrors(diagnostics) ? {} : { pipeline }), diagnostics, document };
}

/** Names of a plugin's options. */
function optionsIn(registry: Registry) {
  return (kind: "stage" | "source", use: string): string[] => {
    const plugin = registry.find(kind, use);
    return plugin === undefined ? [] : Object.keys(plugin.options.shape);
  };
}

/** Two names no real item has in common with a fixed path: they show whether a place depends on the item. */
const SAMPLES = ["item-a", "item-b"];

class Compiler {
  readonly #input: CompileInput;
  readonly #document: TomlDocument;
  readonly #diagnostics: Diagnostic[];

  constructor(input: CompileInput, into: { document: TomlDocument; diagnostics: Diagnostic[] }) {
    this.#input = input;
    this.#document = into.document;
    this.#diagnostics = into.diagnostics;
  }

  compile(file: PipelineFile): CompiledPipeline | undefined {
    const source = this.#part<AnySource>("source", file.source, { hasItem: false });
    const before = this.#stages(file.before, { hasItem: false });
    const stages = this.#stages(file.stages, { hasItem: true });
    const onItemFailed = this.#stages(file.onItemFailed, { hasItem: true });
    if (source === undefined || hasErrors(this.#diagnostics)) return undefined;
    for (const stage of [...stages, ...onItemFailed]) this.#checkTakes(stage, source);
    for (const stage of before) {
      if (stage.plugin.before === true) continue;
      this.#misplaced(stage, { list: "before", allowed: (plugin) => plugin.before === true });
    }
    for (const stage of onItemFailed) {
      if (stage.plugin.onItemFailed === true) continue;
      this.#misplaced(stage, { list: "on_item_failed", allowed: (plugin) => plugin.onItemFailed === true });
    }
    for (const stage of [...before, ...stages, ...onItemFailed]) this.#checkLedger(stage);
    const sourceRoot = this.#guard(source, () => source.plugin.root?.(source.options));
    const places = stages.flatMap((stage) => this.#places(stage));
    return {
      name: file.name,
      summary: file.summary,
      file: this.#document.source.file,
      source,
      ...(sourceRoot ? { sourceRoot } : {}),
      before,
      stages,
      onItemFailed,
      places,
      config: this.#input.config,
      document: this.#document,
    };
  }

  #at(span: Span) {
    return { source: this.#document.source, span };
  }

  #stages(entries: readonly FileEntry[], where: { hasItem: boolean }): CompiledStage[] {
    return entries.flatMap((entry) => {
      const part = this.#part<AnyStage>("stage", entry, where);
      if (part === undefined) return [];
      const { retry, timeoutMs, parallel, onError, after } = entry;
      const { registry } = this.#input;
      const declared = this.#guard(part, () => part.plugin.facts?.(part.options, part.id));
      const external = registry.externalOf(part.plugin);
      const uses = this.#guard(part, () => part.plugin.uses?.(part.options)) ?? [];
      this.#diagnostics.push(...checkUses(uses, { ...this.#input, path: part.path, document: this.#document }));
      return {
        ...part,
        ...(retry ? { retry } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(parallel === undefined ? {} : { parallel }),
        onError,
        after,
        ...effectiveFacts(part.plugin, { declared, registry }),
        ...(external ? { external } : {}),
      };
    });
  }

  #part<P extends AnyStage | AnySource>(
    kind: Extract<PluginKind, "stage" | "source">,
    entry: FileEntry,
    where: { hasItem: boolean },
  ): (CompiledPart<P> & { forItem?: CompiledStage["forItem"] }) | undefined {
    const { registry } = this.#input;
    const plugin = registry.find(kind, entry.use) as P | undefined;
    if (plugin === undefined) {
      this.#unknownPlugin(kind, { use: entry.use, at: this.#at(entry.position) });
      return undefined;
    }
    const what = kind === "source" ? `source "${entry.use}"` : `stage "${entry.id}"`;
    const resolved = this.#resolve(entry, where);
    if (resolved === undefined) return undefined;
    const checked = this.#options(plugin.options, resolved.value, { entry, what });
    if (checked === undefined) return undefined;
    return {
      id: entry.id,
      use: entry.use,
      plugin,
      options: checked.options,
      written: resolved.written,
      path: entry.path,
      position: { ...entry.position, file: this.#document.source.file },
      ...(resolved.perItem ? { forItem: this.#forItem(plugin, entry) } : {}),
    };
  }

  #unknownPlugin(kind: PluginKind, about: { use: string; at: Where }): void {
    this.#diagnostics.push(unknownPlugin(kind, { ...about, registry: this.#input.registry }));
  }

  #scope(item?: TemplateScope["item"]): TemplateScope {
    const { config, env } = this.#input;
    return {
      config: config.view,
      configFile: config.file,
      env,
      envIgnoresCase: config.system === "windows",
      item,
    };
  }

  /** Resolves the templates under `with`; those of the item get a sample, and are resolved again for each item. */
  #resolve(entry: FileEntry, where: { hasItem: boolean }) {
    let failed = false;
    let perItem = false;
    const value = resolveTree(entry.with, this.#scope(where.hasItem ? () => SAMPLES[0] : undefined), {
      problem: (problem, path) => {
        failed = true;
        const full = [...entry.path, "with", ...path];
        const node = nodeAt(this.#document, full);
        const span = node?.kind === "scalar"
          ? spanWithin(this.#document.source, node, problem)
          : valueSpan(this.#document, full);
        this.#diagnostics.push(diagnose(this.#at(span), problem));
      },
      names: (names) => {
        if (names.some((name) => name.startsWith("item."))) perItem = true;
      },
    });
    if (failed) return undefined;
    return { value: value as { [key: string]: Json }, perItem, written: this.#written(entry.with) };
  }

  /** Options as they are in force, with the environment and the item left as templates: neither is for print. */
  #written(value: { [key: string]: Json }): { [key: string]: Json } {
    const visit = (at: Json): Json => {
      if (typeof at === "string") {
        if (/\$\{\s*(?:env|item)\./.test(at)) return at;
        return literal(resolveTreeOrThrow(at, this.#scope()));
      }
      if (Array.isArray(at)) return at.map(visit);
      if (at === null || typeof at !== "object") return at;
      return Object.fromEntries(Object.entries(at).map(([key, entry]) => [key, visit(entry)]));
    };
    return visit(value) as { [key: string]: Json };
  }

  #options(schema: z.ZodObject, value: { [key: string]: Json }, about: { entry: FileEntry; what: string }) {
    const base = [...about.entry.path, "with"];
    const at = (path: TomlPath) => writtenAt({ document: this.#document, config: this.#input.config }, path);
    let bad = false;
    const withPaths = walkSchema(schema, value, {
      path: (text, path) => {
        const resolved = resolvePath(text, this.#input.config);
        if (resolved.ok) return resolved.path;
        bad = true;
        this.#diagnostics.push(diagnose(at([...base, ...path]), {
          code: "options/bad-path",
          message: `Cannot use path "${text}": ${resolved.reason}`,
          hint: resolved.hint,
        }));
        return text;
      },
      plugin: (name, kind, path) => {
        if (this.#input.registry.find(kind as PluginKind, name) !== undefined) return;
        bad = true;
        this.#unknownPlugin(kind as PluginKind, { use: name, at: at([...base, ...path]) });
      },
    });
    const subject = { document: this.#document, base, what: about.what, area: "options", at };
    const checked = checkSchema(schema, withPaths, subject);
    this.#diagnostics.push(...checked.diagnostics);
    return bad || checked.value === undefined ? undefined : { options: checked.value };
  }

  #forItem(plugin: AnyStage | AnySource, entry: FileEntry): NonNullable<CompiledStage["forItem"]> {
    return (item) => {
      const value = resolveTreeOrThrow(entry.with, this.#scope(itemValues(item)));
      const config = this.#input.config;
      const withPaths = walkSchema(plugin.options, value, {
        path(text) {
          const resolved = resolvePath(text, config);
          if (resolved.ok) return resolved.path;
          throw new PipelineError("options/bad-path", `Cannot use path "${text}": ${resolved.reason}`, {
            hint: resolved.hint,
          });
        },
      });
      const result = plugin.options.safeParse(withPaths);
      if (result.success) return result.data;
      const issue = result.error.issues[0];
      throw new PipelineError(
        "options/bad-value",
        `Cannot use option "${issue.path.join(".")}" of stage "${entry.id}" for item "${item.name}": ${issue.message}`,
        { cause: result.error },
      );
    };
  }

  #checkTakes(stage: CompiledStage, source: CompiledSource): void {
    const found = wrongItem(stage, { source, registry: this.#input.registry, at: this.#at(stage.position) });
    if (found) this.#diagnostics.push(found);
  }

  #checkLedger(stage: CompiledStage): void {
    const { config, file } = this.#input.config;
    if (stage.plugin.usesLedger !== true || config.paths.manifest_root !== undefined) return;
    this.#diagnostics.push(diagnose(this.#at(stage.position), {
      code: "config/not-set",
      message:
        `Cannot run stage "${stage.id}": it writes the ledger, and "manifest_root" is not set in [paths] of ${file}`,
      hint: `add to [paths] of ${file}: manifest_root = …`,
    }));
  }

  #misplaced(stage: CompiledStage, about: { list: string; allowed(plugin: AnyStage): boolean }): void {
    const names = this.#input.registry.list("stage").filter(about.allowed).map((plugin) => plugin.name);
    this.#diagnostics.push(diagnose(this.#at(stage.position), {
      code: "pipeline/misplaced",
      message: `Cannot run stage "${stage.id}" in [[${about.list}]]: "${stage.use}" may not stand there`,
      hint: names.length > 0 ? `[[${about.list}]] takes: ${names.toSorted().join(", ")}` : "move it to [[stage]]",
    }));
  }

  #places(stage: CompiledStage): PlaceDeclaration[] {
    const declare = (options: unknown): PlaceDeclaration[] =>
      this.#guard(stage, () => stage.plugin.places?.(options, stage.id, this.#input.config.view)) ?? [];
    const places = declare(stage.options).map(normalPlace);
    const fault = placesFault(places, stage);
    if (fault) this.#diagnostics.push(diagnose(this.#at(stage.position), fault));
    if (stage.forItem && places.length > 0) {
      const forItem = stage.forItem;
      const samples = SAMPLES.map((name) =>
        JSON.stringify(this.#guard(stage, () => declare(forItem({ name, data: {} }))))
      );
      if (samples[0] !== samples[1]) {
        this.#diagnostics.push(diagnose(this.#at(stage.position), {
          code: "pipeline/place-per-item",
          message:
            `Cannot use a template of the item in the place of stage "${stage.id}": a place is the same for every item`,
          hint: "name the root only: the engine appends the name of the item",
        }));
      }
    }
    return places;
  }

  /** Runs a plugin's own function; what it throws is reported at the stage. */
  #guard<T>(part: CompiledPart<Plugin>, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      const known = error instanceof PipelineError ? error : undefined;
      this.#diagnostics.push(diagnose(this.#at(part.position), {
        code: known?.code ?? "pipeline/plugin-error",
        message: known?.message ??
          `Cannot use "${part.use}": it failed with ${error instanceof Error ? error.message : String(error)}`,
        hint: known?.hint,
      }));
      return undefined;
    }
  }
}
