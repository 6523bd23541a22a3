/**
 * The grammar of a pipeline file and the order of its stages.
 * @module
 */
import { z } from "zod";
import type { Json } from "../json.ts";
import { duration } from "../options.ts";
import { diagnose, type Diagnostic, hasErrors, type Span } from "./diagnostic.ts";
import { type NameAdvice, nameAdvice } from "./nearest.ts";
import { checkSchema } from "./schema_diagnostics.ts";
import { nodeAt, type TomlDocument, type TomlPath, tomlValue, valueSpan } from "./toml_document.ts";

const NAME_FORM = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const ID_FORM = /^[a-z][a-z0-9_-]*$/;

/** Ids that mean something else. */
const RESERVED_IDS = ["source"];

function pluginName() {
  return z.string().regex(NAME_FORM, "wanted the name of a plugin, lower-case words joined by hyphens").meta({
    description: "Name of the plugin.",
  });
}
function options() {
  return z.record(z.string(), z.json()).default({}).meta({ description: "Options of the plugin." });
}

const RETRY = z.strictObject({
  attempts: z.number().int().min(1).max(100).meta({ description: "How often it is tried in all." }),
  first: duration().prefault("1s").meta({
    description: "Pause before the second attempt; it doubles each time.",
    unit: "ms",
  }),
  max: duration().optional().meta({ description: "Longest pause.", unit: "ms" }),
  on: z.array(
    z.string().regex(
      /^(transient|[a-z0-9-]+\/[a-z0-9-]+)$/,
      `wanted "transient" or an error code such as "s3/unreachable"`,
    ),
  )
    .min(1).default(["transient"]).meta({ description: "Which errors are tried again: `transient`, or codes." }),
});

const HANDLER = {
  use: pluginName(),
  id: z.string().regex(ID_FORM, "wanted lower-case letters, digits, - or _, beginning with a letter").optional().meta({
    description: "Name of the stage in this pipeline; the default is the name of its plugin.",
  }),
  with: options(),
  retry: RETRY.optional().meta({ description: "Trying again." }),
  timeout: duration().optional().meta({ description: "Longest time for one item.", unit: "ms" }),
  on_error: z.enum(["fail", "warn"]).default("fail").meta({
    description: "Whether an error fails the item, or is reported and passed over.",
  }),
};

const STAGE = z.strictObject({
  ...HANDLER,
  after: z.array(z.string()).optional().meta({
    description: "Ids of the stages that come before; the default is the one above.",
  }),
  parallel: z.number().int().min(1).max(256).optional().meta({ description: "How many steps run at once." }),
});

/** The schema of a pipeline file. Options under `with` are checked by each plugin's own schema. */
export const PIPELINE_SCHEMA = z.strictObject({
  name: z.string().regex(NAME_FORM, "wanted lower-case words joined by hyphens").meta({
    description: "Name of the pipeline.",
  }),
  summary: z.string().default("").meta({ description: "What it is for, in one sentence." }),
  source: z.strictObject({ use: pluginName(), with: options() }).meta({ description: "Where the items come from." }),
  before: z.array(z.strictObject(HANDLER)).default([]).meta({ description: "Run once, before any item." }),
  stage: z.array(STAGE).min(1).meta({ description: "The stages, in order." }),
  on_item_failed: z.array(z.strictObject(HANDLER)).default([]).meta({ description: "Run for an item that failed." }),
});

/** Trying again. Pauses in ms. */
export interface RetrySettings {
  attempts: number;
  firstMs: number;
  maxMs?: number;
  /** `transient`, or codes of errors. */
  on: readonly string[];
}

/** One entry of the file, its options not yet checked. */
export interface FileEntry {
  use: string;
  id: string;
  with: { [key: string]: Json };
  retry?: RetrySettings;
  timeoutMs?: number;
  parallel?: number;
  onError: "fail" | "warn";
  /** Ids; for `[[stage]]` only. */
  after: readonly string[];
  /** Where the entry stands in the document, for example `["stage", 3]`. */
  path: TomlPath;
  /** The value of `use`. */
  position: Span;
}

export interface PipelineFile {
  name: string;
  summary: string;
  source: FileEntry;
  before: FileEntry[];
  /** In a stable topological order. */
  stages: FileEntry[];
  onItemFailed: FileEntry[];
}

const RETRY_HINT = 'write retry = { attempts = 3, first = "2s" }: how often it is tried in all, and the first pause';

/** What is missing is a table with a header of its own, not a key. */
const HINTS = {
  "*.retry": RETRY_HINT,
  "*.source": "write its header in single brackets: [source]; a pipeline has one source",
  before: "write its header in double brackets: [[before]]",
  on_item_failed: "write its header in double brackets: [[on_item_failed]]",
  source: 'add a table [source] with use = "…": what gives the items, such as idle-folders (labferry list sources)',
  stage:
    'add at least one table [[stage]], in double brackets, with use = "…": a step, such as copy (labferry list stages)',
};

/** What a plugin's options are called, to tell an option in the wrong place from a word nobody knows. */
export type OptionsOf = (kind: "stage" | "source", use: string) => readonly string[];

/** Reads the grammar: keys, ids, order. Plugins and their options are the compiler's. */
export function readPipelineFile(
  document: TomlDocument,
  { optionsOf = () => [] }: { optionsOf?: OptionsOf } = {},
): { file?: PipelineFile; diagnostics: Diagnostic[] } {
  const value = tomlValue(document.root);
  const unknown = (path: TomlPath) => besideUse(document, path, optionsOf);
  const part = (path: TomlPath) => entryOf(document, path);
  const subject = { document, base: [], what: "the pipeline", area: "pipeline", hints: HINTS, unknown, part };
  const checked = checkSchema(PIPELINE_SCHEMA, value, subject);
  const diagnostics = checked.diagnostics;
  if (checked.value === undefined) return { diagnostics };
  const { name, summary, source, before, stage, on_item_failed: failed } = checked.value;
  const entries = stage.map((entry, index) => ({
    ...handler(document, entry, ["stage", index]),
    parallel: entry.parallel,
    after: entry.after ?? (index === 0 ? [] : [stage[index - 1].id ?? stage[index - 1].use]),
  }));
  const file: PipelineFile = {
    name,
    summary,
    source: handler(document, { ...source, on_error: "fail" }, ["source"]),
    before: before.map((entry, index) => handler(document, entry, ["before", index])),
    stages: entries,
    onItemFailed: failed.map((entry, index) => handler(document, entry, ["on_item_failed", index])),
  };
  for (const list of [file.before, file.stages, file.onItemFailed]) diagnostics.push(...checkIds(document, list));
  diagnostics.push(...checkAfter(document, file.stages));
  if (hasErrors(diagnostics)) return { diagnostics };
  const ordered = topologicalOrder(file.stages);
  if (ordered.cycle) {
    const entry = ordered.cycle[0];
    const at = nodeAt(document, [...entry.path, "after"]) ? [...entry.path, "after"] : [...entry.path, "use"];
    diagnostics.push(diagnose({ source: document.source, span: valueSpan(document, at) }, {
      code: "pipeline/cycle",
      message: `Cannot order the stages: each waits for the next in ${
        [...ordered.cycle, entry].map((stage) => `"${stage.id}"`).join(" after ")
      }`,
      hint: "take one of these ids out of its after = […]",
    }));
    return { diagnostics };
  }
  return { file: { ...file, stages: ordered.stages }, diagnostics };
}

/** The entry of a list that a path leads into, by its id where it has one, else by its number. */
function entryOf(document: TomlDocument, path: TomlPath): { what: string; path: TomlPath } | undefined {
  const [list, at] = path;
  if (typeof at !== "number" || path.length < 3) return undefined;
  const entry = path.slice(0, 2);
  const id = ["id", "use"].map((key) => nodeAt(document, [...entry, key])).find((node) => node?.kind === "scalar");
  const name = id?.kind === "scalar" ? `"${id.value}"` : `${at + 1}`;
  return { what: list === "stage" ? `stage ${name}` : `stage ${name} of [[${list}]]`, path: entry };
}

/** Words people know from elsewhere, and what they are here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  args: "with",
  continue_on_error: "on_error",
  depends_on: "after",
  name: "id",
  needs: "after",
  options: "with",
  params: "with",
  plugin: "use",
  retries: "retry",
  type: "use",
  uses: "use",
};

/** What is said of a key beside `use` that is no engine key: an option that belongs under `with`, or another word. */
function besideUse(document: TomlDocument, path: TomlPath, optionsOf: OptionsOf): NameAdvice | undefined {
  const [list] = path;
  const key = String(path.at(-1));
  if (path.length !== (list === "source" ? 2 : 3) || list === "name") return undefined;
  const node = nodeAt(document, [...path.slice(0, -1), "use"]);
  const use = node?.kind === "scalar" ? String(node.value) : "";
  if (optionsOf(list === "source" ? "source" : "stage", use).includes(key)) {
    return { hint: `it is an option of "${use}", which stands under with: with = { ${key} = … }`, nearest: "with" };
  }
  const here = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
  return here === undefined ? undefined : { hint: here === "retry" ? RETRY_HINT : `the key is ${here}`, nearest: here };
}

type Handler = Partial<z.output<typeof STAGE>> & { use: string; with: { [key: string]: Json } };

function handler(document: TomlDocument, entry: Handler, path: TomlPath): FileEntry {
  const { retry } = entry;
  return {
    use: entry.use,
    id: entry.id ?? entry.use,
    with: entry.with,
    retry: retry && { attempts: retry.attempts, firstMs: retry.first, maxMs: retry.max, on: retry.on },
    timeoutMs: entry.timeout,
    onError: entry.on_error ?? "fail",
    after: [],
    path,
    position: valueSpan(document, [...path, "use"]),
  };
}

function idSpan(document: TomlDocument, entry: FileEntry): Span {
  return nodeAt(document, [...entry.path, "id"]) ? valueSpan(document, [...entry.path, "id"]) : entry.position;
}

function checkIds(document: TomlDocument, entries: readonly FileEntry[]): Diagnostic[] {
  const seen = new Map<string, FileEntry>();
  const found: Diagnostic[] = [];
  for (const entry of entries) {
    const at = { source: document.source, span: idSpan(document, entry) };
    const first = seen.get(entry.id);
    if (RESERVED_IDS.includes(entry.id)) {
      found.push(diagnose(at, {
        code: "pipeline/reserved-id",
        message: `Cannot name a stage "${entry.id}": that is the place every item comes from`,
        hint: `give it another id = "…"`,
      }));
    } else if (first) {
      found.push(diagnose(at, {
        code: "safety/duplicate-id",
        message: `Cannot use id "${entry.id}" twice: the stage of line ${
          idSpan(document, first).line
        } has it, wanted an id of its own`,
        hint: nodeAt(document, [...entry.path, "id"])
          ? `write another id = "…" here, or there`
          : `add id = "…" with another name; without it, the id is the name of the plugin`,
      }));
    } else {
      seen.set(entry.id, entry);
    }
  }
  return found;
}

function checkAfter(document: TomlDocument, stages: readonly FileEntry[]): Diagnostic[] {
  const ids = stages.map((stage) => stage.id);
  return stages.flatMap((stage) =>
    stage.after.flatMap((id, index) => {
      const span = valueSpan(document, [...stage.path, "after", index]);
      if (id === stage.id) {
        // Two stages of one id, one below the other: that is told where the ids are.
        if (nodeAt(document, [...stage.path, "after"]) === undefined) return [];
        return diagnose({ source: document.source, span }, {
          code: "pipeline/cycle",
          message: `Cannot run stage "${id}" after itself`,
          hint: "name the stage that comes before it",
        });
      }
      if (ids.includes(id)) return [];
      return diagnose({ source: document.source, span }, {
        code: "pipeline/unknown-id",
        message: `Cannot run stage "${stage.id}" after "${id}": no stage has that id`,
        ...nameAdvice(id, ids.filter((known) => known !== stage.id), "known ids"),
      });
    })
  );
}

/** Orders stages so that each stands behind all of its `after`; among free ones, the file's order holds. */
export function topologicalOrder<S extends { id: string; after: readonly string[] }>(
  stages: readonly S[],
): { stages: S[]; cycle?: undefined } | { cycle: S[]; stages?: undefined } {
  const done = new Set<string>();
  const left = [...stages];
  const ordered: S[] = [];
  while (left.length > 0) {
    const next = left.findIndex((stage) => stage.after.every((id) => done.has(id)));
    if (next < 0) return { cycle: findCycle(left) };
    const [stage] = left.splice(next, 1);
    done.add(stage.id);
    ordered.push(stage);
  }
  return { stages: ordered };
}

/** Every stage left waits for another one left: walking along them comes back to one seen. */
function findCycle<S extends { id: string; after: readonly string[] }>(left: readonly S[]): S[] {
  const walk: S[] = [left[0]];
  for (;;) {
    const last = walk[walk.length - 1];
    const next = left.find((stage) => last.after.includes(stage.id)) as S;
    const at = walk.indexOf(next);
    if (at >= 0) return walk.slice(at);
    walk.push(next);
  }
}
