/**
 * Destroys an earlier run began (SAFETY S4, S22): those whose folder is gone are closed in the ledger, the others are
 * taken up before anything else, whatever the source would say of them.
 * @module
 */
import { dirname } from "@std/path";
import type { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { asKnownError } from "../io/io_errors.ts";
import { itemPath, sortBytes } from "../io/paths.ts";
import { follow } from "../ledger/entry.ts";
import type { Ledger, LedgerRecord } from "../ledger/record.ts";
import { foldLedger } from "../ledger/fold.ts";
import { isFolderGone } from "./gone_folder.ts";
import { isUnderWay, recordEnd } from "../safety/record_end.ts";
import { sameHost } from "../safety/lock_judgement.ts";
import type { TreeItem } from "./item_session.ts";
import { lookingSignal } from "./open_places.ts";
import type { RunState } from "./run_state.ts";
import { itemOf } from "./source_context.ts";

/** What the ledger and the intents call the freeing of a source. */
const DELETION = { id: SOURCE_PLACE, begun: "source_deleting_at", ended: "source_deleted_at" } as const;

/** The items whose destroy goes on, and those nobody could look at; each in byte order of the names. */
export interface TakenUp {
  items: TreeItem[];
  bad: { name: string; error: PipelineError }[];
}

/** Closes what is done and returns what goes on. A destroy that cannot be looked at stops no other (SAFETY S19). */
export async function takeUpDestroys(run: RunState): Promise<TakenUp> {
  const taken: TakenUp = { items: [], bad: [] };
  if (!run.ledger) return taken;
  const { fs, log } = run.services;
  const { records, torn } = await foldLedger(fs, run.ledger.root);
  for (const { file, line, reason } of torn) log.warn(`line ${line} of ${file} could not be read: ${reason}`);
  for (const name of sortBytes([...records.keys()])) {
    const record = records.get(name)!;
    try {
      if (!isUnderWay(record, DELETION) || !await isOurs(run, record)) continue;
      const item = await takeUp(run, run.ledger, record);
      if (item) taken.items.push(item);
    } catch (cause) {
      const error = asKnownError(cause, `take up the removal of "${name}" that an earlier run began`);
      if (error.stopsRun !== undefined) throw error;
      taken.bad.push({ name, error });
    }
  }
  return taken;
}

async function takeUp(run: RunState, ledger: Ledger, record: LedgerRecord): Promise<TreeItem | undefined> {
  const { fs, clock, journal, log } = run.services;
  const name = record.backup_name;
  const path = itemPath(run.source.path, name);
  const stat = await fs.lstat(path);
  if (stat?.kind === "directory") {
    const item = await itemOf(run, { name, path });
    if (item.id === record.incarnation) return item;
  }
  // A ledger that is contradicted can still be put back as it was; a line more would make that harder (SAFETY S12).
  const mayClose = !run.request.dryRun && !run.destroyServices().soundness?.known;
  if (!mayClose || !await isOfThisRoot(run, record)) return undefined;
  if (stat && stat.kind !== "directory") {
    log.warn(`${name}: it was being freed, and a ${stat.kind} stands at "${path}" now`);
    return undefined;
  }
  if (stat) {
    await withdraw(run, ledger, record);
    return undefined;
  }
  if (!await isFolderGone(fs, run.source, name)) return undefined;
  await recordEnd({ clock, journal, ledger }, DELETION, { id: record.incarnation, name });
  log.info(`${name}: an earlier run had removed it; the ledger says so now`);
  return undefined;
}

/**
 * Whether the study came from the root that is marked here now: another disk at the same path says nothing of it. Its
 * claims at the places name the root it came from (SAFETY S1, S11).
 */
async function isOfThisRoot(run: RunState, record: LedgerRecord): Promise<boolean> {
  const { log } = run.services;
  const here = dirname(record.source_path) === run.source.path;
  for (const place of run.places) {
    const claim = await place.claimant(record.backup_name, lookingSignal(run.request));
    if (claim?.incarnation !== record.incarnation) continue;
    if (claim.source_root === run.source.uuid) return true;
    if (here) {
      log.warn(`${record.backup_name}: it was being freed on another disk than the one at "${run.source.path}"`);
    }
    return false;
  }
  if (here) {
    log.warn(
      `${record.backup_name}: it was being freed, and no place tells from which disk; the ledger leaves it open`,
    );
  }
  return false;
}

/** Another folder stands in the place of the one that was being freed: that destroy has nothing left to remove. */
async function withdraw(run: RunState, ledger: Ledger, record: LedgerRecord): Promise<void> {
  const { journal, log } = run.services;
  await ledger.append(follow(record, { source_deleting_at: null }));
  await journal.intents.close(record.incarnation, SOURCE_PLACE);
  log.warn(`${record.backup_name}: another folder took the place of the one that was being freed; that is withdrawn`);
}

/** Instruments that share a ledger may all keep their studies under one path; each closes its own destroys only. */
async function isOurs(run: RunState, record: LedgerRecord): Promise<boolean> {
  if (sameHost(record.host, run.services.host)) return true;
  return await run.services.journal.intents.get(record.incarnation, SOURCE_PLACE) !== undefined;
}
