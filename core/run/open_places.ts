/**
 * Opens the roots and places of a run: markers, distinctness, buckets, and the locks that hold for the whole run
 * (SAFETY S1, S2, S11). Nothing is written before all of it holds.
 * @module
 */
import type { PlaceDeclaration } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { PLACE_MARKER_NAME } from "../io/names.ts";
import { findNesting, rootStat } from "../io/roots.ts";
import { Budget } from "../objects/budget.ts";
import { storeClockOffset } from "../objects/clock_skew.ts";
import type { ObjectStore } from "../objects/object_store.ts";
import { DEFAULT_BUDGET_BYTES, openObjects } from "../objects/session.ts";
import type { ObjectSession } from "../objects/session.ts";
import { DirectoryPlace } from "../places/directory_place.ts";
import { ObjectPlace } from "../places/object_place.ts";
import { storeOptions } from "../places/store_options.ts";
import type { ItemScope, Place } from "../places/place.ts";
import type { NameClaim } from "../safety/claims.ts";
import { relateBuckets } from "../safety/distinct_buckets.ts";
import { checkPlace, confirmPlace, readPlaceMarker } from "../safety/place_marker.ts";
import { assertKnownMarker, rememberMarker } from "../safety/known_markers.ts";
import { assertRoles, type PlaceRole, rememberRoles, type RootRole } from "../safety/place_roles.ts";
import type { MarkedRoot } from "../safety/roots.ts";
import { EVICTION } from "./backups.ts";
import type { Foresight } from "./foresight.ts";
import { isOverBackups } from "./run_state.ts";
import type { EngineServices, RunRequest } from "./services.ts";

/** A directory that must be marked: the source, a folder place, or the ledger's. */
export interface NamedPath {
  id: string;
  path: string;
}

export interface OpenedPlaces {
  source: MarkedRoot;
  places: Place[];
  /** Sessions of the buckets, by place id, for the ledger's mirror. */
  buckets: { prefix: string; session: ObjectSession }[];
  visible: Set<string>;
  assertDistinct(): Promise<void>;
}

/** Uuid of a root a dry run could not see; evidence made under it stays in the dry run's own journal. */
const UNSEEN = "not-seen";

/** What changes nothing ends as soon as the run is asked to stop: there is no step to be finished. */
export function lookingSignal({ abort, stop }: Pick<RunRequest, "abort" | "stop">): AbortSignal {
  return AbortSignal.any([abort, stop]);
}

export async function openPlaces(
  request: RunRequest,
  services: EngineServices,
  { stack, foresight }: { stack: AsyncDisposableStack; foresight?: Foresight },
): Promise<OpenedPlaces> {
  const { compiled } = request;
  const sourceRoot = compiled.sourceRoot?.root;
  if (sourceRoot === undefined) {
    throw new PipelineError("run/no-source", `Cannot run "${compiled.name}": its source has no folder`, {
      stopsRun: 2,
    });
  }
  const visible = new Set<string>();
  const paths = keysOfPaths(request.config);
  // Without the place that is to be freed there is nothing to plan, whatever a hook may mount later.
  const source = isOverBackups(compiled)
    ? await openRoot(services, { id: EVICTION.id, path: sourceRoot }, { visible, paths })
    : await openRoot(services, { id: "source", path: sourceRoot }, { foresight, visible, paths });
  const budget = new Budget(DEFAULT_BUDGET_BYTES);
  const places: Place[] = [];
  const buckets: OpenedPlaces["buckets"] = [];
  const claim = claimOf(services, source);
  const looking = lookingSignal(request);
  for (const declared of compiled.places) {
    looking.throwIfAborted();
    const common = {
      id: declared.id,
      domain: declared.domain,
      fs: services.fs,
      clock: services.clock,
      sourceUuid: source.uuid,
      claim,
    };
    if (declared.kind === "directory") {
      const root = await openRoot(services, { id: declared.id, path: declared.root }, {
        foresight,
        visible,
        paths,
      });
      const { durability } = declared;
      places.push(new DirectoryPlace({ ...common, root, durability }));
    } else {
      const session = await openBucket(request, services, { declared, stack, budget, foresight });
      visible.add(declared.id);
      buckets.push({ prefix: declared.prefix, session });
      const others = compiled.places.filter(({ kind, id }) => kind === "objects" && id !== declared.id);
      places.push(
        new ObjectPlace({ ...common, prefix: declared.prefix, session, others: others.map(({ id }) => id) }),
      );
    }
  }
  const assertDistinct = () => assertRootsDistinct(request, services);
  await assertDistinct();
  const known = { fs: services.fs, cursors: services.journal.cursors };
  await assertRoles(known, markedRoots(request));
  if (!foresight) await rememberRoles(known, markedRoots(request));
  return { source, places, buckets, visible, assertDistinct };
}

/**
 * SAFETY S1, S2: evidence names a root by its marker's UUID, so that no two may share one. A share that is mounted twice
 * shows one marker on two devices.
 */
export async function assertMarkersDistinct(
  { fs }: Pick<EngineServices, "fs">,
  roots: readonly NamedPath[],
): Promise<void> {
  const seen = new Map<string, NamedPath>();
  for (const root of roots) {
    const uuid = await readPlaceMarker(fs, root.path).catch((error) => {
      // Whoever opens that root refuses it.
      if (error instanceof PipelineError && error.code === "place/marker-invalid") return undefined;
      throw error;
    });
    if (uuid === undefined) continue;
    const other = seen.get(uuid);
    if (other) throw sameMarker(root, other);
    seen.set(uuid, root);
  }
}

function sameMarker(root: NamedPath, other: NamedPath): PipelineError {
  return new PipelineError(
    "place/same-marker",
    `Cannot use "${root.path}" as ${root.id}: its ${PLACE_MARKER_NAME} is the one of ${other.id} "${other.path}"`,
    {
      stopsRun: 2,
      hint:
        `If both are one share, mounted twice, they are one place: mend the paths in the config. If the folder was copied with its marker, remove ${PLACE_MARKER_NAME} from the copy, then run: labferry install places`,
    },
  );
}

/** Roots of a run, in the order they are named in messages. */
export function namedRoots(request: Pick<RunRequest, "compiled" | "config" | "stateDir">): NamedPath[] {
  return [...markedRoots(request), { id: "state", path: request.stateDir }];
}

/** Those of them that carry a marker, and what each is for. The root of a source over backups is a place. */
export function markedRoots({ compiled, config }: Pick<RunRequest, "compiled" | "config">): RootRole[] {
  const add = (id: string, path: string, role: PlaceRole) => roots.push({ id, path, role });
  const roots: RootRole[] = [];
  if (compiled.sourceRoot) {
    const { root } = compiled.sourceRoot;
    isOverBackups(compiled) ? add(EVICTION.id, root, "place") : add("source", root, "source");
  }
  for (const place of compiled.places) if (place.kind === "directory") add(place.id, place.root, "place");
  const manifests = config.paths?.manifest_root;
  if (typeof manifests === "string" && manifests !== "") add("manifests", manifests, "ledger");
  return roots;
}

/** The keys of the config that name folders, by these: `/mnt/nas` is that of `paths.truenas_root`. */
export function keysOfPaths({ paths = {} }: RunRequest["config"]): Record<string, string> {
  return Object.fromEntries(Object.entries(paths).map(([key, path]) => [String(path), `paths.${key}`]));
}

function withKey(error: unknown, key: string | undefined): unknown {
  if (key === undefined || !(error instanceof PipelineError) || error.code !== "place/not-marked") return error;
  const { code, message, hint, stopsRun, cause } = error;
  return new PipelineError(code, message.replace(" as a place: ", ` (${key}) as a place: `), { hint, stopsRun, cause });
}

/** Opens one marked root. A dry run, which has foresight, plans for a root that is not there, and says so. */
export async function openRoot(
  services: EngineServices,
  { id, path }: NamedPath,
  { foresight, visible, paths }: { foresight?: Foresight; visible: Set<string>; paths?: Record<string, string> },
): Promise<MarkedRoot> {
  const { fs } = services;
  try {
    const identity = await checkPlace(fs, path).catch((error) => {
      throw withKey(error, paths?.[path]);
    });
    await assertKnownMarker(services.journal.cursors, { id, path, uuid: identity.uuid });
    if (!foresight) await rememberMarker(services.journal.cursors, path, { uuid: identity.uuid });
    visible.add(id);
    return { path, uuid: identity.uuid, check: () => confirmPlace(fs, identity) };
  } catch (error) {
    // The source must be there to plan at all; other roots may be mounted by hooks a dry run does not run.
    const stat = id === "source" ? await rootStat(fs, path) : undefined;
    if (!foresight || !(error instanceof PipelineError) || (id === "source" && stat?.kind !== "directory")) throw error;
    foresight.missing(`${id} could not be seen at "${path}": ${error.message}`, error);
    return { path, uuid: `${UNSEEN}:${id}`, check: () => Promise.resolve() };
  }
}

async function openBucket(
  request: RunRequest,
  services: EngineServices,
  { declared, stack, budget, foresight }: {
    declared: Extract<PlaceDeclaration, { kind: "objects" }>;
    stack: AsyncDisposableStack;
    budget: Budget;
    foresight?: Foresight;
  },
): Promise<ObjectSession> {
  const plugin = services.registry.get("store", declared.store);
  const store: ObjectStore = stack.use(await plugin.open(storeOptions(plugin, declared)));
  const session = openObjects({
    store,
    probes: services.journal.probes,
    uploads: services.journal.uploads,
    clock: services.clock,
    log: services.log,
    signal: request.abort,
    stop: request.stop,
    settings: declared.upload,
    prefix: declared.prefix,
    budget,
  });
  try {
    await storeClockOffset({ ...session, signal: lookingSignal(request) });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    if (!foresight) throw stopRun(error);
    foresight.missing(error.message, stopRun(error));
  }
  return session;
}

/** What the store refuses is a matter of configuration (exit 2); a store that does not answer is not (exit 1). */
function stopRun(error: PipelineError): PipelineError {
  const away = error.retry === "transient" || error.code === "s3/unreachable" || error.code === "s3/throttled";
  return new PipelineError(error.code, error.message, {
    cause: error,
    hint: error.hint,
    retry: error.retry,
    stopsRun: away ? 1 : 2,
  });
}

async function assertRootsDistinct(request: RunRequest, services: EngineServices): Promise<void> {
  const [nesting] = await findNesting(services.fs, namedRoots(request));
  if (nesting) {
    const how = nesting.same ? "is the same folder as" : "contains";
    throw new PipelineError(
      "place/not-distinct",
      `Cannot use "${nesting.outer.path}" as ${nesting.outer.id}: it ${how} ${nesting.inner.id} "${nesting.inner.path}"`,
      { stopsRun: 2, hint: "Source, places, manifests and state must be folders apart. Mend the paths in the config." },
    );
  }
  await assertMarkersDistinct(services, markedRoots(request));
  const buckets = request.compiled.places.filter((place) => place.kind === "objects");
  for (const [index, a] of buckets.entries()) {
    for (const b of buckets.slice(index + 1)) {
      if (!relateBuckets(a, b)) continue;
      throw new PipelineError("place/not-distinct", `Cannot use ${a.id} and ${b.id}: both name one bucket and prefix`, {
        stopsRun: 2,
        hint:
          "Two places must not be one, and an endpoint may have two names. Give them buckets or prefixes apart; for two stores whose buckets share a name, declare a domain for each.",
      });
    }
  }
}

function claimOf(services: EngineServices, source: MarkedRoot): (scope: ItemScope) => NameClaim {
  return ({ item }) => ({
    incarnation: item.id,
    host: services.host,
    source_root: source.uuid,
    source_path: item.root,
    claimed_at: new Date(services.clock.now()).toISOString(),
  });
}
