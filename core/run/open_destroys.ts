/**
 * Destroys an earlier run began (SAFETY S4, S22): those whose folder is gone are closed in the ledger, the others are
 * taken up before anything else, whatever the source would say of them.
 * @module
 */
import { dirname } from "@std/path";
import { SOURCE_PLACE } from "../evidence.ts";
import { follow } from "../ledger/entry.ts";
import type { Ledger, LedgerRecord } from "../ledger/record.ts";
import { foldLedger } from "../ledger/fold.ts";
import { recordEnd } from "../safety/destroy.ts";
import { sameHost } from "../safety/lock_judgement.ts";
import type { TreeItem } from "./item_session.ts";
import type { RunState } from "./run_state.ts";
import { itemOf } from "./source_context.ts";

/** Closes what is done and returns the items whose destroy goes on, in byte order of their names. */
export async function takeUpDestroys(run: RunState): Promise<TreeItem[]> {
  if (!run.ledger) return [];
  const { fs, clock, journal, log } = run.services;
  const { records, torn } = await foldLedger(fs, run.ledger.root);
  for (const { file, line, reason } of torn) log.warn(`line ${line} of ${file} could not be read: ${reason}`);
  const items: TreeItem[] = [];
  for (const record of records.values()) {
    if (!isOpen(record) || dirname(record.source_path) !== run.source.path || !await isOurs(run, record)) continue;
    const stat = await fs.lstat(record.source_path);
    if (stat && stat.kind !== "directory") {
      log.warn(`${record.backup_name}: it was being freed, and a ${stat.kind} stands at "${record.source_path}" now`);
      continue;
    }
    if (stat) {
      const item = await itemOf(run, { name: record.backup_name, path: record.source_path });
      if (item.id === record.incarnation) items.push(item);
      else if (!run.request.dryRun) await withdraw(run, run.ledger, record);
      continue;
    }
    if (run.request.dryRun) continue;
    await run.source.check();
    // The run that removed the folder may have died before that was on the medium; the ledger must not know more.
    await fs.syncDir(run.source.path);
    const victim = { id: SOURCE_PLACE, begun: "source_deleting_at", ended: "source_deleted_at" } as const;
    await recordEnd({ clock, journal, ledger: run.ledger }, victim, {
      id: record.incarnation,
      name: record.backup_name,
    });
    log.info(`${record.backup_name}: an earlier run had removed it; the ledger says so now`);
  }
  return items.sort((a, b) => a.name < b.name ? -1 : 1);
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

function isOpen(record: LedgerRecord): boolean {
  return record.status === "complete" && record.source_deleting_at !== null && record.source_deleted_at === null;
}
