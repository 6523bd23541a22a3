/**
 * Places must be distinct (SAFETY S2), as far as their names tell: roots and prefixes neither equal nor nested. What
 * links and mounts make of the names is asked of the machine, in tier 3 and at every run.
 * @module
 */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import type { PlaceDeclaration } from "../contract.ts";
import type { CompiledPart, CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import type { PathSystem } from "../pipeline/config_paths.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import type { Plugin } from "../contract.ts";
import { ruleSeverity } from "./rules.ts";

interface Located {
  /** For messages. */
  name: string;
  /** Equal or nested keys of one `space` overlap. */
  space: string;
  key: string;
  shown: string;
  part: CompiledPart<Plugin>;
}

/** Finds places that are one inside the other, or the same. */
export function lintPlaces(pipeline: CompiledPipeline): Diagnostic[] {
  const located = locate(pipeline);
  const found: Diagnostic[] = [];
  located.forEach((later, index) => {
    const earlier = located.slice(0, index).find((other) => overlaps(other, later));
    if (earlier === undefined) return;
    const relation = earlier.key === later.key ? "is the same as" : "overlaps";
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
  const directory = (root: string) => ({ space: "directory", key: directoryKey(root, system), shown: root });
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

/** A folder as a key that ends in `/`, so that a nested one begins with it. Windows ignores case. */
export function directoryKey(root: string, system: PathSystem): string {
  if (system === "posix") return `${posix.normalize(root).replace(/\/+$/, "")}/`;
  const plain = windows.normalize(root).replaceAll("/", "\\").replace(
    /^\\\\\?\\(?:UNC\\|(?=[A-Za-z]:))/i,
    (prefix) => /UNC/i.test(prefix) ? "\\\\" : "",
  );
  return `${plain.replace(/\\+$/, "").replaceAll("\\", "/").toLowerCase()}/`;
}

function objectSpace(place: Extract<PlaceDeclaration, { kind: "objects" }>) {
  const { endpoint, bucket } = place.options;
  const host = typeof endpoint === "string" ? endpoint.replace(/\/+$/, "").toLowerCase() : "";
  return {
    space: JSON.stringify([place.store, host, bucket ?? ""]),
    key: place.prefix,
    shown: `${place.store}://${typeof bucket === "string" ? bucket : ""}/${place.prefix}`,
  };
}

function overlaps(a: Located, b: Located): boolean {
  return a.space === b.space && (a.key.startsWith(b.key) || b.key.startsWith(a.key));
}
