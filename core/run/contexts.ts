/**
 * Builds the contexts stages are given. Plan contexts cannot change the world, by type and at run time; apply contexts
 * act through the item's session and the places, which mint the evidence.
 * @module
 */
import type { AnyStage, SourceFile, StageFacts } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type {
  DestroyRules,
  EvidenceReader,
  ItemFailure,
  PlaceReader,
  PlaceWriter,
  ReadContext,
  TreeEntry,
  WriteContext,
} from "../ports.ts";
import type { ItemScope, Place } from "../places/place.ts";
import { evidenceBatches } from "../places/batches.ts";
import { walkStudy } from "../safety/own_sidecar.ts";
import { checkNames } from "./check_names.ts";
import { assertEffect } from "./effects.ts";
import { assertExec, assertFiles, assertJson, assertNoneOurs, assertRules, assertStatus } from "./given.ts";
import type { ItemSession } from "./item_session.ts";
import type { Acts, Lease } from "./lease.ts";
import { execPinned } from "./pinned_exec.ts";
import type { RunState } from "./run_state.ts";
import type { StepCheckpoint } from "./step_checkpoint.ts";
import { failureView, recordView, servicesView } from "./views.ts";

/** What a context is made for. */
export interface ContextFor {
  run: RunState;
  session: ItemSession;
  stage: { id: string; plugin: AnyStage; destroys?: StageFacts["destroys"] };
  signal: AbortSignal;
  /** Counts bytes for progress and report. */
  onBytes: (count: number) => void;
  failure?: ItemFailure;
}

/** What says whether a stage may still look and act. */
type Held = Pick<Lease, "assertLasts">;

/** What `plan` is given; it can be looked at as long as the lease. */
export function readContext(make: ContextFor, lease: Held): ReadContext {
  const { run, session } = make;
  return Object.freeze<ReadContext>({
    ...shared(make, lease),
    place: (id) => {
      lease.assertLasts("place()");
      return whileHeld(lease, planPlace(make, run.place(id), stageScope(make)));
    },
    destroyBatches: (place) => destroyBatches(session.scope, place),
  });
}

/** The functions of a view, which end with the lease. */
function whileHeld<T extends object>(lease: Held, view: T): T {
  const entries = Object.entries(view).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    return [name, (...given: unknown[]) => {
      lease.assertLasts(`${name}()`);
      return Reflect.apply(value, view, given);
    }];
  });
  return Object.freeze(Object.fromEntries(entries)) as T;
}

/** What `apply` is given; its acts are to be had as long as the lease. */
export function writeContext(make: ContextFor, saved: StepCheckpoint, acts: Acts): WriteContext {
  const { run, session, stage, signal } = make;
  const { services } = run;
  const { plugin } = stage;
  const { act, destroys } = actsOf(plugin, acts);
  const rulesOf = (given: DestroyRules) => {
    assertRules({ name: "destroy()", stage: stage.id }, given);
    return atLeast(given, stage.destroys?.places);
  };
  return Object.freeze<WriteContext>({
    ...shared(make, acts),
    destroyBatches: (place) => destroyBatches(session.scope, place),
    place: (id) => actPlace(make, id, acts),
    lock: act("lock()", () => session.lock(signal)),
    record: act("record()", (status) => {
      assertStatus({ name: "record()", stage: stage.id }, status);
      return session.record(status, { error: make.failure?.error, signal });
    }),
    destroy: destroys("destroy()", async (batch, given) => {
      await session.destroy(batch, { rules: rulesOf(given), signal });
    }),
    finishDestroy: destroys("finishDestroy()", async (given) => {
      await session.finishDestroy(rulesOf(given), { signal });
    }),
    exec: act("exec()", (options) => {
      assertExec({ name: "exec()", stage: stage.id }, options);
      return execPinned(services, options, signal);
    }),
    checkpoint: acts.lend("checkpoint()", async (value) => {
      assertJson({ name: "checkpoint()", stage: stage.id }, value);
      await saved.write(value);
    }),
    async readCheckpoint() {
      acts.assertLasts("readCheckpoint()");
      return await saved.read();
    },
  });
}

/** Lends acts that need an effect. */
function actsOf(plugin: AnyStage, acts: Acts) {
  const needing =
    (wanted: "create" | "destroy") => <A extends unknown[]>(name: string, act: (...given: A) => Promise<void>) =>
      acts.lend(name, async (...given: A) => {
        assertEffect(plugin, name, wanted);
        await act(...given);
      });
  return { act: needing("create"), destroys: needing("destroy") };
}

/** What lint judged by is the least: at the act a stage may ask for more places, never for fewer. */
export function atLeast({ place, places, recheck }: DestroyRules, declared = 1): DestroyRules {
  if (!Number.isSafeInteger(places)) {
    throw new RangeError(`Cannot destroy with "places" ${places}: wanted a whole number of places`);
  }
  return { place, places: Math.max(1, declared, places), recheck };
}

function shared(make: ContextFor, lease: Held): Omit<ReadContext, "place" | "destroyBatches"> {
  const { run, session, stage, signal } = make;
  const { services } = run;
  const { evidence, item } = session.scope;
  return {
    run: run.context,
    ...servicesView(services, signal),
    item,
    dryRun: run.request.dryRun,
    force: isForced(run.request.force, stage.id),
    stage: stage.id,
    failure: failureView(make.failure),
    source: whileHeld(lease, {
      walk: () => walkStudy(services.fs, { ...session.scope, signal }),
      files: () => checkedFiles(run, session, signal),
    }),
    evidence: whileHeld<EvidenceReader>(lease, {
      list: (place, options) => evidence.list(item.id, place, options),
      totals: (place) => evidence.totals(item.id, place),
    }),
    async ledger() {
      lease.assertLasts("ledger()");
      return recordView(await session.ledger());
    },
  };
}

function stageScope(make: ContextFor): ItemScope {
  return {
    ...make.session.scope,
    signal: make.signal,
    onBytes: make.onBytes,
    force: isForced(make.run.request.force, make.stage.id),
  };
}

/** Whether `--force` names this stage, or all. */
export function isForced(force: true | string | undefined, stage: string): boolean {
  return force === true || force === stage;
}

function reader(session: ItemSession, place: Place, scope: ItemScope): PlaceReader {
  return {
    id: place.id,
    kind: place.kind,
    uri: (item) => place.uri(item.name),
    missing: (files, onHeld) => place.missing(scope, files, onHeld),
    batches: (files) => place.batches(scope, files),
    isSealed: async () => await place.sealed(scope) !== undefined,
    archived: () => session.archived(place, scope),
  };
}

/** In a dry run a place that nothing was written to yet is never probed (SAFETY S17). */
function planPlace({ run, session }: ContextFor, place: Place, scope: ItemScope): PlaceReader {
  const look = reader(session, place, scope);
  if (!run.request.dryRun) return look;
  const seen = run.isVisible(place.id);
  return {
    ...look,
    missing: (files, onHeld) => seen ? look.missing(files, onHeld) : files,
    isSealed: () => seen && !run.hasPromised(scope.item.id, place.id) ? look.isSealed() : Promise.resolve(false),
  };
}

function actPlace(make: ContextFor, id: string, acts: Acts): PlaceWriter {
  const whole = stageScope(make);
  const scope = { ...whole, evidence: acts.evidence(whole.evidence) };
  const place = make.run.place(id);
  const { act } = actsOf(make.stage.plugin, acts);
  const claimed = async () => {
    await make.session.claimedPlace(id, scope);
    return place;
  };
  const written = () => {
    // What stays of a backup must stay as it is.
    if (make.run.isOverBackups) {
      throw new TypeError(`stage "${make.stage.id}" must not write at "${id}": it keeps backups`);
    }
    return claimed();
  };
  const checked = (name: string, files: readonly SourceFile[]) => {
    assertFiles({ name, stage: make.stage.id }, files);
    return files;
  };
  return {
    ...whileHeld(acts, reader(make.session, place, scope)),
    write: act("write()", async (files) => {
      assertNoneOurs({ name: "write()", stage: make.stage.id }, checked("write()", files));
      await (await written()).write(scope, files);
    }),
    prove: acts.lend("prove()", async (files) => (await claimed()).prove(scope, checked("prove()", files))),
    enumerate: acts.lend("enumerate()", async () => (await claimed()).enumerate(scope)),
    seal: act("seal()", async () => void await (await written()).seal(scope)),
    proveArchived: acts.lend("proveArchived()", (files) => make.session.proveArchived(place, scope, files)),
  };
}

async function* destroyBatches(scope: ItemScope, place: string) {
  if (place !== SOURCE_PLACE) {
    throw new RangeError(`Cannot list "${place}" for a destroy: only the source is freed here`);
  }
  yield* evidenceBatches(scope, place);
}

/** Files and empty folders of the source, after every name of the item was checked (SAFETY S14, S15). */
async function* checkedFiles(run: RunState, session: ItemSession, signal: AbortSignal): AsyncIterable<SourceFile> {
  const { fs } = run.services;
  const { item } = session;
  await run.checkNamesOnce(item.id, () => checkNames(run, session, signal));
  let open: TreeEntry | undefined; // a folder nothing was seen in yet
  for await (const entry of walkStudy(fs, { ...session.scope, signal })) {
    if (open && !entry.path.startsWith(`${open.path}/`)) yield emptyFolder(open);
    open = entry.kind === "directory" ? entry : undefined;
    if (entry.kind === "directory") continue;
    if (entry.kind !== "file") {
      throw new PipelineError(
        "item/links",
        `Cannot back up "${item.name}": "${entry.path}" is a link or a special file`,
        { hint: "Links are never followed. Put the file it names in its place, or take it out of the study." },
      );
    }
    yield { path: entry.path, size: entry.size, mtimeMs: entry.mtimeMs };
  }
  if (open) yield emptyFolder(open);
}

function emptyFolder(entry: TreeEntry): SourceFile {
  return { path: entry.path, size: 0, mtimeMs: entry.mtimeMs, emptyFolder: true };
}
