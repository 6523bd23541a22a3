/**
 * Places must be distinct (SAFETY S2), as far as their names tell: roots and prefixes neither equal nor nested. What
 * links and mounts make of the names is asked of the machine, in tier 3 and at every run.
 * @module
 */
import type { Plugin } from "../contract.ts";
import { contains, type PathSystem } from "../io/paths.ts";
import type { CompiledPart, CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic, type Span } from "../pipeline/diagnostic.ts";
import { nodeAt, valueSpan } from "../pipeline/toml_document.ts";
import { type ObjectPlaceDeclaration, relateBuckets } from "../safety/distinct_buckets.ts";
import { ruleSeverity } from "./rules.ts";

interface Located {
  /** For messages. */
  name: string;
  /** Path of a folder, without the long form of Windows; or a bucket with its prefix. Only like can overlap. */
  at: { folder: string } | { bucket: ObjectPlaceDeclaration };
  shown: string;
  part: CompiledPart<Plugin>;
}

/** Finds places that are one inside the other, or the same. */
export function lintPlaces(pipeline: CompiledPipeline): Diagnostic[] {
  const located = locate(pipeline);
  const { system } = pipeline.config;
  const found: Diagnostic[] = [];
  located.forEach((later, index) => {
    const earlier = located.slice(0, index).find((other) => relate(other, later, system));
    if (earlier === undefined) return;
    const relation = relate(earlier, later, system);
    found.push(diagnose({ source: pipeline.document.source, span: optionSpan(pipeline, later) }, {
      code: "safety/same-place-twice",
      severity: ruleSeverity("safety/same-place-twice"),
      message:
        `Cannot use ${later.name} at "${later.shown}": it ${relation} ${earlier.name} at "${earlier.shown}" (line ${earlier.part.position.line}), wanted places apart from each other`,
      hint: "bucket" in later.at
        ? "two copies at one place are one copy: give each a bucket or a prefix of its own; for two stores whose buckets share a name, declare a domain for each"
        : "two copies at one place are one copy: give each a folder of its own",
    }));
  });
  return found;
}

function locate(pipeline: CompiledPipeline): Located[] {
  const { system, config } = pipeline.config;
  const directory = (root: string) => ({ at: { folder: plainRoot(root, system) }, shown: root });
  const located: Located[] = [];
  if (pipeline.sourceRoot) {
    located.push({ name: "the source", ...directory(pipeline.sourceRoot.root), part: pipeline.source });
  }
  const writers = new Map<string, CompiledStage>(pipeline.stages.map((stage) => [stage.id, stage]));
  for (const place of pipeline.places) {
    const part = writers.get(place.id) ?? pipeline.source;
    const name = `place "${place.id}"`;
    located.push({ name, ...(place.kind === "directory" ? directory(place.root) : objects(place)), part });
  }
  const ledger = pipeline.stages.find((stage) => stage.plugin.usesLedger === true);
  if (ledger && config.paths.manifest_root !== undefined) {
    located.push({ name: "the ledger (manifest_root)", ...directory(config.paths.manifest_root), part: ledger });
  }
  return located;
}

/** The option that says where the place is; `use` where another key of the config does. */
function optionSpan({ document }: CompiledPipeline, { part, shown }: Located): Span {
  const option = Object.entries(part.options as Record<string, unknown>).find(([, value]) => value === shown)?.[0];
  const path = [...part.path, "with", option ?? ""];
  return nodeAt(document, path) ? valueSpan(document, path) : part.position;
}

/** The verbatim form `\\\\?\\C:\\…` of Windows names the same folder as the plain one. */
function plainRoot(root: string, system: PathSystem): string {
  return system === "windows" ? root.replace(/^\\\\\?\\UNC\\/i, "\\\\").replace(/^\\\\\?\\(?=[A-Za-z]:)/, "") : root;
}

function objects(place: ObjectPlaceDeclaration) {
  const { bucket } = place.options;
  const shown = `${place.store}://${typeof bucket === "string" ? bucket : ""}/${place.prefix}`;
  return { at: { bucket: place }, shown };
}

const WORDS = { same: "is the same as", inside: "lies within", contains: "contains" };

/** How `b` lies to `a`, in words. */
function relate({ at: a }: Located, { at: b }: Located, system: PathSystem): string | undefined {
  if ("bucket" in a && "bucket" in b) {
    const relation = relateBuckets(a.bucket, b.bucket);
    return relation && WORDS[relation];
  }
  if (!("folder" in a) || !("folder" in b)) return undefined;
  const [inA, inB] = [contains(a.folder, b.folder, system), contains(b.folder, a.folder, system)];
  if (inA && inB) return WORDS.same;
  return inA ? WORDS.inside : inB ? WORDS.contains : undefined;
}
