/** What the ledger lets happen to an item, and the evidence that stands for it (SAFETY S3, S4, S5). @module */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place } from "../places/place.ts";
import { expectedSeal } from "../places/seal_files.ts";
import { reproveFromSidecar } from "../safety/reprove.ts";
import { assertSameContent } from "../safety/returned_name.ts";
import { forgetChanged } from "../safety/stale.ts";
import { assertClaimsAgree, assertMayGo, EVICTION } from "./backups.ts";
import type { ItemSession, TreeItem } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

/** What the ledger says may be done with an item. */
export type Course = { course: "all" } | { course: "resume-destroy"; since: string };

/** What the places need to know of an item. */
export function scopeOf(run: RunState, item: TreeItem, record: LedgerRecord | undefined): ItemScope {
  const { services, request } = run;
  return {
    item,
    evidence: services.journal.evidence,
    signal: request.abort,
    log: services.log,
    force: request.force === true,
    onBytes: () => {},
    recordedSidecar: record?.status === "complete" ? record.sidecar_sha256 : null,
  };
}

/** SAFETY S3, S4: what was completed, or is being freed, decides what may happen under this name. */
export async function courseOf(run: RunState, session: ItemSession, record: LedgerRecord | undefined): Promise<Course> {
  if (run.isOverBackups) return await courseOfBackup(run, session, record);
  assertNotEvicting(session.item.name, record);
  const { fs } = run.services;
  const { scope, item } = session;
  const freeing = record?.status === "complete" && record.source_deleting_at !== null &&
    record.source_deleted_at === null;
  if (record && freeing && record.incarnation === item.id) {
    await restoreEvidence(run, session, record);
    return { course: "resume-destroy", since: record.source_deleting_at ?? "" };
  }
  if (record?.status === "complete") {
    const unseen = run.places.find((place) => !run.isVisible(place.id));
    // A dry run runs no hook, so it may not see the place that holds the list to compare with.
    if (unseen && run.request.dryRun) {
      run.services.log.warn(`${item.name}: completed before; not compared, since ${unseen.id} could not be seen`);
    } else await assertSameContent(fs, scope, { record, places: run.places });
  }
  const forgotten = await forgetChanged(fs, scope);
  if (forgotten > 0) run.services.log.info(`${item.name}: ${forgotten} files changed since they were read`);
  return { course: "all" };
}

/** SAFETY S4: an eviction that was begun goes on by itself; a copy made anew meanwhile would be evicted with the rest. */
function assertNotEvicting(name: string, record: LedgerRecord | undefined): void {
  if (record?.status !== "complete" || record.truenas_evicting_at === null || record.truenas_evicted_at !== null) {
    return;
  }
  throw new PipelineError(
    "item/being-evicted",
    `Cannot take up "${name}": its copy at ${EVICTION.id} is being evicted since ${record.truenas_evicting_at}`,
    { hint: "Nothing was touched. The next cleanup ends that first: labferry cleanup run" },
  );
}

/** Nothing that an earlier run knew of a backup counts: its facts are minted anew, also where an eviction goes on. */
async function courseOfBackup(
  run: RunState,
  { scope, item, disposables }: ItemSession,
  record: LedgerRecord | undefined,
): Promise<Course> {
  assertMayGo(run, item.name, record);
  await assertClaimsAgree(run, item, scope.signal);
  const forget = () => scope.evidence.remove(item.id);
  await forget();
  disposables.defer(forget);
  return { course: "all" };
}

/** SAFETY S5(d): a journal behind its ledger is void and rebuilt by proving again. */
async function restoreEvidence(run: RunState, session: ItemSession, record: LedgerRecord): Promise<void> {
  const { fs, clock, log } = run.services;
  if (await knowsBackup(session, { record, places: run.places })) return;
  if (run.request.dryRun) {
    log.warn(`${session.item.name}: the journal does not know this backup as the ledger does; a run proves it again`);
    return;
  }
  log.warn(
    `${session.item.name}: the journal does not know this backup as the ledger does; every byte is proved again`,
  );
  const named = run.places.filter((place) => Object.hasOwn(record.places, place.id));
  // A place that came later may hold the study too; the ledger does not promise that, so its failure is no obstacle.
  const further = run.places.filter((place) => !named.includes(place));
  await reproveFromSidecar({ fs, clock, places: named, further, sourceUuid: run.source.uuid }, session.scope, record);
}

/** Whether the evidence of the source, and of each place, is the archived list of files. */
async function knowsBackup(
  { scope }: ItemSession,
  { record, places }: { record: LedgerRecord; places: readonly Place[] },
): Promise<boolean> {
  const source = await expectedSeal(scope, SOURCE_PLACE);
  if (source?.sha256 !== record.sidecar_sha256) return false;
  for (const { id, uuid } of places) {
    if ((await expectedSeal(scope, id, { placeUuid: uuid }))?.sha256 !== record.sidecar_sha256) return false;
  }
  return true;
}
