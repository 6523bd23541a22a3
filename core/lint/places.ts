/**
 * Places must be distinct (SAFETY S2), as far as their names tell: roots and prefixes neither equal nor nested. What
 * links and mounts make of the names is asked of the machine, in tier 3 and at every run.
 * @module
 */
import type { PlaceDeclaration, Plugin } from "../contract.ts";
import { contains, type PathSystem } from "../io/paths.ts";
import type { CompiledPart, CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { ruleSeverity } from "./rules.ts";

interface Located {
  /** For messages. */
  name: string;
  /** Only what is in one space can overlap: folders, or one bucket. */
  space: string;
  /** Path of the folder, or key prefix. */
  key: string;
  shown: string;
  within(other: string): boolean;
  part: CompiledPart<Plugin>;
}

/** Finds places that are one inside the other, or the same. */
export function lintPlaces(pipeline: CompiledPipeline): Diagnostic[] {
  const located = locate(pipeline);
  const found: Diagnostic[] = [];
  located.forEach((later, index) => {
    const earlier = located.slice(0, index).find((other) => other.space === later.space && relate(other, later));
    if (earlier === undefined) return;
    const relation = relate(earlier, later);
    found.push(diagnose({ source: pipeline.document.source, span: later.part.position }, {
      code: "safety/same-place-twice",
      severity: ruleSeverity("safety/same-place-twice"),
      message:
        `Cannot use ${later.name} at "${later.shown}": it ${relation} ${earlier.name} at "${earlier.shown}" (line ${earlier.part.position.line}), wanted places apart from each other`,
      hint: "two copies at one place are one copy: give each a folder or a prefix of its own",
    }));
  });
  return found;
}

function locate(pipeline: CompiledPipeline): Located[] {
  const { system, config } = pipeline.config;
  const directory = (root: string) => {
    const key = plainRoot(root, system);
    return { space: "directory", key, shown: root, within: (other: string) => contains(other, key, system) };
  };
  const located: Located[] = [];
  if (pipeline.sourceRoot) {
    located.push({ name: "the source", ...directory(pipeline.sourceRoot.root), part: pipeline.source });
  }
  const writers = new Map<string, CompiledStage>(pipeline.stages.map((stage) => [stage.id, stage]));
  for (const place of pipeline.places) {
    const part = writers.get(place.id) ?? pipeline.source;
    const name = `place "${place.id}"`;
    located.push({ name, ...(place.kind === "directory" ? directory(place.root) : objectSpace(place)), part });
  }
  const ledger = pipeline.stages.find((stage) => stage.plugin.usesLedger === true);
  if (ledger && config.paths.manifest_root !== undefined) {
    located.push({ name: "the ledger (manifest_root)", ...directory(config.paths.manifest_root), part: ledger });
  }
  return located;
}

/** The verbatim form `\\\\?\\C:\\…` of Windows names the same folder as the plain one. */
function plainRoot(root: string, system: PathSystem): string {
  return system === "windows" ? root.replace(/^\\\\\?\\UNC\\/i, "\\\\").replace(/^\\\\\?\\(?=[A-Za-z]:)/, "") : root;
}

function objectSpace(place: Extract<PlaceDeclaration, { kind: "objects" }>) {
  const { endpoint, bucket } = place.options;
  const host = typeof endpoint === "string" ? endpoint.replace(/\/+$/, "").toLowerCase() : "";
  return {
    space: JSON.stringify([place.store, host, bucket ?? ""]),
    key: place.prefix,
    within: (other: string) => place.prefix.startsWith(other),
    shown: `${place.store}://${typeof bucket === "string" ? bucket : ""}/${place.prefix}`,
  };
}

function relate(a: Located, b: Located): string | undefined {
  const [inA, inB] = [b.within(a.key), a.within(b.key)];
  if (inA && inB) return "is the same as";
  return inA ? "lies within" : inB ? "contains" : undefined;
}
