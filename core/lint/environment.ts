/**
 * Tier 3 of lint: whether this machine and its stores are as the pipeline needs them. Only looks; changes nothing.
 * @module
 */
import type { PlaceDeclaration } from "../contract.ts";
import { asPipelineError, PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { findNesting, type NamedRoot, type Nesting, rootStat } from "../io/roots.ts";
import { explain } from "../objects/explain.ts";
import { type ObjectStore, ObjectStoreError } from "../objects/object_store.ts";
import type { CompiledPart, CompiledPipeline } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic, type Where } from "../pipeline/diagnostic.ts";
import { keyWrittenAt, valueWrittenAt } from "../pipeline/written.ts";
import type { Plugin } from "../contract.ts";
import type { CursorStore } from "../journal/journal.ts";
import { assertKnownMarker } from "../safety/known_markers.ts";
import { missingMarker, readPlaceMarker } from "../safety/place_marker.ts";
import { roleConflict, type RootRole } from "../safety/place_roles.ts";
import { ruleSeverity } from "./rules.ts";

/** What stands under a path. */
export type FolderState =
  | { kind: "absent" }
  | { kind: "not-a-folder" }
  | { kind: "folder"; marker: string }
  | { kind: "not-marked"; found: string; hint: string }
  | { kind: "unreadable"; why: string; hint?: string };

/** What a store answers. */
export type StoreState =
  | { kind: "ready" }
  | { kind: "no-bucket" | "denied" | "unreachable" | "unusable"; why: string; hint?: string };

type ObjectsPlace = Extract<PlaceDeclaration, { kind: "objects" }>;

/** What speaks against a marked root, in words. */
export interface RootProblem {
  code: "env/other-marker" | "env/other-role" | "env/not-writable";
  message: string;
  hint?: string;
}

/** How lint asks about the world. */
export interface EnvironmentProbe {
  folder(root: string, signal: AbortSignal): Promise<FolderState>;
  /** Whether a marked root is what earlier runs knew, and can be `written` to. */
  marked?(root: RootRole & { marker: string; written: boolean }, signal: AbortSignal): Promise<RootProblem[]>;
  /** Roots of which one is, or contains, another on this machine, whatever their names say. */
  nested(roots: readonly NamedRoot[], signal: AbortSignal): Promise<Nesting[]>;
  store(place: ObjectsPlace, signal: AbortSignal): Promise<StoreState>;
}

export interface EnvironmentOptions {
  probe: EnvironmentProbe;
  signal: AbortSignal;
  /** More roots that must be apart from the places and need no marker, for example the state folder. */
  roots?: readonly NamedRoot[];
}

interface Wanted extends Pick<RootRole, "id" | "role"> {
  /** For messages. */
  name: string;
  root: string;
  /** Whether a run makes or removes names in it. */
  written: boolean;
  /** Where it is to be edited. */
  at: Where;
}

/**
 * Checks folders, markers, distinctness and stores; every finding stands at the key of the config that says what is
 * missing, else at the stage that needs it.
 */
export async function lintEnvironment(pipeline: CompiledPipeline, options: EnvironmentOptions): Promise<Diagnostic[]> {
  const { probe, signal } = options;
  const found: Diagnostic[] = [];
  const add = (code: string, at: Where, words: { message: string; hint?: string; soft?: boolean }) => {
    const severity = words.soft ? "warning" : ruleSeverity(code);
    const { message, hint } = words;
    found.push(diagnose(at, { code, severity, message, hint }));
  };
  const folders = wantedFolders(pipeline);
  const soft = hasHook(pipeline);
  const present: Wanted[] = [];
  for (const wanted of folders) {
    signal.throwIfAborted();
    const state = await probe.folder(wanted.root, signal);
    if (state.kind === "folder" || state.kind === "not-marked") present.push(wanted);
    const problem = folderProblem(wanted, state, soft);
    if (problem) add(problem.code, wanted.at, problem);
    if (state.kind !== "folder") continue;
    const { id, root: path, role, written } = wanted;
    for (const problem of await probe.marked?.({ id, path, role, written, marker: state.marker }, signal) ?? []) {
      // Whatever is mounted later: what is there now is not what the config says.
      const isSoft = soft && problem.code !== "env/other-role";
      const message = isSoft ? `${problem.message}; a hook in [[before]] may mount another` : problem.message;
      add(problem.code, wanted.at, { ...problem, message, soft: isSoft });
    }
  }
  const roots = [...present.map(({ name, root }) => ({ id: name, path: root })), ...options.roots ?? []];
  for (const pair of await probe.nested(roots, signal)) {
    const at = present.find((wanted) => wanted.name === pair.inner.id || wanted.name === pair.outer.id)?.at;
    add("env/places-not-distinct", at ?? positionOf(pipeline, pipeline.source), {
      message: `Cannot use ${pair.inner.id} at "${pair.inner.path}": on this machine it ${
        pair.same ? "is" : "lies within"
      } ${pair.outer.id} at "${pair.outer.path}", wanted places apart from each other`,
      hint: "look for a link or a mount that leads from one to the other, and give each a folder of its own",
    });
  }
  for (const place of pipeline.places) {
    if (place.kind !== "objects") continue;
    signal.throwIfAborted();
    const state = await probe.store(place, signal);
    if (state.kind === "ready") continue;
    const at = valueWrittenAt(pipeline, { part: writerOf(pipeline, place.id), value: place.options.bucket });
    add(STORE_CODES[state.kind], at, { message: `Cannot use place "${place.id}": ${state.why}`, hint: state.hint });
  }
  return found;
}

const STORE_CODES = {
  "no-bucket": "env/bucket-missing",
  denied: "env/store-denied",
  unreachable: "env/store-unreachable",
  unusable: "env/store-unusable",
};

function writerOf(pipeline: CompiledPipeline, place: string): CompiledPart<Plugin> {
  return pipeline.stages.find((stage) => stage.id === place) ?? pipeline.source;
}

function positionOf({ document }: CompiledPipeline, part: CompiledPart<Plugin>): Where {
  return { source: document.source, span: part.position };
}

function wantedFolders(pipeline: CompiledPipeline): Wanted[] {
  const wanted: Wanted[] = [];
  const { sourceRoot, source, places, config } = pipeline;
  const add = (id: string, name: string, at: { part: CompiledPart<Plugin>; root: string }) => {
    const role = id === SOURCE_PLACE && source.plugin.yields !== "backup" ? "source" : "place";
    const written = role === "place" || pipeline.stages.some((stage) => stage.plugin.effect === "destroy");
    const where = valueWrittenAt(pipeline, { part: at.part, value: at.root });
    wanted.push({ id, name, role, written, root: at.root, at: where });
  };
  // Over backups it is the NAS that keeps them.
  const name = source.plugin.yields === "backup" ? "the place of the backups" : "the source";
  if (sourceRoot) add(SOURCE_PLACE, name, { part: source, root: sourceRoot.root });
  for (const place of places) {
    if (place.kind !== "directory") continue;
    add(place.id, `place "${place.id}"`, { part: writerOf(pipeline, place.id), root: place.root });
  }
  const ledger = pipeline.stages.find((stage) => stage.plugin.usesLedger === true);
  const root = config.config.paths.manifest_root;
  if (ledger && root !== undefined) {
    const at = keyWrittenAt(pipeline, { key: ["paths", "manifest_root"], part: ledger });
    wanted.push({ id: "manifests", name: "the ledger", role: "ledger", written: true, root, at });
  }
  return wanted;
}

/** Whether a program runs before the places are looked at; it may mount what is missing now. */
function hasHook(pipeline: CompiledPipeline): boolean {
  return pipeline.before.some((stage) => {
    const { argv } = stage.options as { argv?: unknown };
    return !Array.isArray(argv) || argv.length > 0;
  });
}

function folderProblem(wanted: Wanted, state: FolderState, soft: boolean) {
  const cannot = `Cannot use ${wanted.name} at "${wanted.root}"`;
  const mounts = soft ? "; a hook in [[before]] may mount it" : "";
  switch (state.kind) {
    case "absent":
      return {
        code: "env/path-missing",
        message: `${cannot}: nothing is there${mounts}`,
        hint: "make the folder or mount it; check the path in the config",
        soft,
      };
    case "not-a-folder":
      return {
        code: "env/not-a-folder",
        message: `${cannot}: it is not a folder`,
        hint: "check the path in the config",
      };
    case "unreadable":
      return {
        code: "env/unreadable",
        message: `${cannot}: ${state.why}`,
        hint: state.hint ?? "check the rights of this account",
      };
    case "not-marked":
      return { code: "env/not-marked", message: `${cannot}: ${state.found}${mounts}`, hint: state.hint, soft };
    case "folder":
      return undefined;
  }
}

export interface ProbeServices {
  fs: FileSystem;
  /** Opens the store of a place. */
  openStore(place: ObjectsPlace): Promise<ObjectStore>;
  /** This computer's clock, ms since 1970. Default: the system's. */
  now?: () => number;
  /** What earlier runs remember. Without it every marker is as good as another. */
  cursors?: CursorStore;
}

/** The probe that looks at the real world. */
export function createEnvironmentProbe(services: ProbeServices): EnvironmentProbe {
  const { fs, openStore } = services;
  const now = services.now ?? Date.now;
  return {
    async folder(root) {
      try {
        const stat = await rootStat(fs, root);
        if (stat === undefined) return { kind: "absent" };
        if (stat.kind !== "directory") return { kind: "not-a-folder" };
        const marker = await readPlaceMarker(fs, root);
        return marker === undefined
          ? { kind: "not-marked", ...await missingMarker(fs, root) }
          : { kind: "folder", marker };
      } catch (error) {
        const hint = error instanceof PipelineError ? error.hint : undefined;
        return { kind: "unreadable", why: lowerFirst(reasonOf(error)), ...(hint === undefined ? {} : { hint }) };
      }
    },
    marked: (root) => problemsOf(root, services),
    nested: (roots) => findNesting(fs, roots),
    async store(place, signal) {
      const thing = String(place.options.bucket ?? place.id);
      try {
        await using store = await openStore(place);
        await store.headBucket(signal);
        return { kind: "ready" };
      } catch (error) {
        signal.throwIfAborted();
        const known = asPipelineError(explain(error, { verb: "reach", thing, now: now() }), `reach "${thing}"`);
        const why = lowerFirst(reasonOf(known));
        return { kind: storeKind(error), why, ...(known.hint === undefined ? {} : { hint: known.hint }) };
      }
    },
  };
}

async function problemsOf(
  { marker, written, ...root }: RootRole & { marker: string; written: boolean },
  { fs, cursors }: ProbeServices,
): Promise<RootProblem[]> {
  const found: RootProblem[] = [];
  const { id, path } = root;
  try {
    if (cursors !== undefined) await assertKnownMarker(cursors, { id, path, uuid: marker });
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "place/other-marker") throw error;
    found.push({ code: "env/other-marker", message: error.message, hint: error.hint });
  }
  const conflict = await roleConflict({ fs, cursors }, root);
  if (conflict) found.push({ code: "env/other-role", ...conflict });
  const why = written ? await fs.whyNotWritable?.(path) : undefined;
  if (why !== undefined) {
    found.push({
      code: "env/not-writable",
      message: `Cannot use ${id} "${path}": ${why}`,
      hint: "a run makes and removes files there: give this account the right to, or mount it for writing",
    });
  }
  return found;
}

function storeKind(error: unknown): Exclude<StoreState["kind"], "ready"> {
  if (!(error instanceof ObjectStoreError)) return "unusable";
  if (error.kind === "no-bucket" || error.kind === "not-found") return "no-bucket";
  if (error.kind === "denied") return "denied";
  return error.kind === "unreachable" || error.kind === "throttled" ? "unreachable" : "unusable";
}

/** The state found, out of a message of the form `Cannot <verb> "<thing>": <state>`. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof PipelineError ? message.replace(/^Cannot [^"]*"[^"]*"(?: as a place)?: /, "") : message;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}
