/**
 * Runs over backups (`cleanup`): the root of the source is a place that other pipelines wrote, its items are complete
 * backups of the ledger, and what a destroy frees is that place (SAFETY S4, S5, S11).
 * @module
 */
import type { Json } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError, ioError } from "../io/io_errors.ts";
import { itemPath, pathKey, sortBytes } from "../io/paths.ts";
import { walkTree } from "../io/walk.ts";
import { foldLedger } from "../ledger/fold.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import { claimAtFolder } from "../places/claim_files.ts";
import type { ArchivedBackup, CandidateFolder } from "../ports.ts";
import { isUnderWay, recordEnd } from "../safety/record_end.ts";
import { isFolderGone } from "./gone_folder.ts";
import type { TreeItem } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

/** The place that is freed, in intents and messages, and the fields of the ledger that tell of it. */
export const EVICTION = { id: "truenas", begun: "truenas_evicting_at", ended: "truenas_evicted_at" } as const;

/** What the ledger says of every folder below the root. */
export async function listBackups(run: RunState): Promise<ArchivedBackup[]> {
  const { fs, log } = run.services;
  const root = run.source.path;
  const { records, torn } = await foldLedger(fs, run.requireLedger().root);
  for (const { file, line, reason } of torn) log.warn(`line ${line} of ${file} could not be read: ${reason}`);
  const entries = await fs.readDir(root).catch((cause) => {
    throw ioError(cause, { verb: "list", path: root });
  });
  const found: ArchivedBackup[] = [];
  for (const { name, kind } of entries) {
    if (name.toLowerCase().startsWith(".labferry")) continue;
    if (kind === "directory") found.push(await archivedOf(run, name, records.get(name)));
    else if (kind === "symlink") found.push(linked(root, name));
  }
  return found.sort((a, b) => rank(a) < rank(b) ? -1 : 1);
}

/** What they say of one of them now; undefined when its folder is gone. */
export async function lookAtBackup(run: RunState, name: string): Promise<ArchivedBackup | undefined> {
  const path = itemPath(run.source.path, name);
  const stat = await run.services.fs.lstat(path).catch((cause) => {
    throw ioError(cause, { verb: "look at", path });
  });
  if (stat?.kind === "directory") return await archivedOf(run, name, await run.requireLedger().latest(name));
  return stat?.kind === "symlink" ? linked(run.source.path, name) : undefined;
}

async function archivedOf(run: RunState, name: string, record: LedgerRecord | undefined): Promise<ArchivedBackup> {
  const root = run.source.path;
  const path = itemPath(root, name);
  const refused = record === undefined ? "the ledger has no record of it" : whyNot(record, root);
  const begun = record !== undefined && isUnderWay(record, EVICTION);
  return {
    name,
    path,
    bytes: begun && refused === undefined ? await bytesLeft(run, path) : record?.total_bytes ?? 0,
    completedAt: record?.completed_at ?? "",
    begun,
    ...(refused === undefined ? {} : { refused }),
  };
}

/** SAFETY S15. Somebody may have moved a study to other storage and left a link in its place. */
function linked(root: string, name: string): ArchivedBackup {
  const refused = "it is a link, and links are never followed";
  return { name, path: itemPath(root, name), bytes: 0, completedAt: "", begun: false, refused };
}

/** Of a folder that is partly gone. What cannot be listed counts nothing here, and fails its item. */
async function bytesLeft({ services, request }: RunState, path: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { kind, size } of walkTree(services.fs, path, { signal: request.abort })) {
      if (kind === "file") bytes += size;
    }
  } catch (error) {
    request.abort.throwIfAborted();
    services.log.warn(`the files left in "${path}" cannot be counted: ${(error as Error).message}`);
  }
  return bytes;
}

/** Those that were begun, then by the time they were complete, then by name. */
function rank({ begun, completedAt, name }: ArchivedBackup): string {
  return `${begun ? 0 : 1} ${completedAt} ${name}`;
}

function whyNot(record: LedgerRecord, root: string): string | undefined {
  if (record.status !== "complete") return `the ledger says ${record.status}`;
  if (record.source_deleting_at !== null && record.source_deleted_at === null) {
    return `its source is being freed since ${record.source_deleting_at}`;
  }
  if (record.truenas_evicted_at !== null) return `the ledger says that it went on ${record.truenas_evicted_at}`;
  if (record.sidecar_sha256 === null) return "its record names no list of checksums";
  if (!isAt(record, root)) return `the ledger has it at "${record.truenas_path}"`;
  return undefined;
}

/** Whether the recorded copy is the folder of its name in the root: a namesake elsewhere is none that anybody proved. */
function isAt({ truenas_path: path, backup_name: name }: LedgerRecord, root: string): boolean {
  return path !== null && pathKey(path) === pathKey(itemPath(root, name));
}

/** The item of a backup. @throws {PipelineError} `item/gone`, `backup/refused` */
export async function backupItem(
  run: RunState,
  folder: CandidateFolder,
  data: Record<string, Json> = {},
): Promise<TreeItem> {
  const stat = await run.services.fs.lstat(folder.path);
  if (stat?.kind !== "directory") {
    throw new PipelineError("item/gone", `Cannot take up "${folder.name}": it is no longer a folder`, {
      hint: "It was moved or removed while the run went on. If nobody meant to, look for it before you run again.",
    });
  }
  const record = await run.requireLedger().latest(folder.name);
  assertMayGo(run, folder.name, record);
  return { id: record.incarnation, name: folder.name, kind: "backup", root: folder.path, data };
}

/** @throws {PipelineError} `backup/refused` unless the ledger has it complete, here, and nowhere being freed */
export function assertMayGo(
  run: RunState,
  name: string,
  record: LedgerRecord | undefined,
): asserts record is LedgerRecord {
  const why = record === undefined ? "the ledger has no record of it" : whyNot(record, run.source.path);
  if (why === undefined) return;
  throw new PipelineError("backup/refused", `Cannot free a copy of "${name}": ${why}`, {
    hint: "The copy stays. Only a backup that the ledger has as complete, and that nothing else works on, may go.",
  });
}

/** Evictions that the ledger had open when the run began, by name, and those that nobody could look at. */
export interface OpenEvictions {
  names: ReadonlySet<string>;
  bad: { name: string; error: PipelineError }[];
}

/**
 * Closes evictions that an earlier run had finished but for the ledger; a dry run only names them. Those whose folder is
 * still there are taken up with the candidates. One that cannot be looked at stops no other (SAFETY S19).
 */
export async function closeEvictions(run: RunState): Promise<OpenEvictions> {
  const names = new Set<string>();
  const bad: OpenEvictions["bad"] = [];
  if (!run.ledger) return { names, bad };
  // A ledger that is contradicted can still be put back as it was; a line more would make that harder (SAFETY S12).
  const mayClose = !run.request.dryRun && !run.destroyServices().soundness?.known;
  const { records } = await foldLedger(run.services.fs, run.ledger.root);
  for (const name of sortBytes([...records.keys()])) {
    const record = records.get(name) as LedgerRecord;
    try {
      if (!isUnderWay(record, EVICTION) || !isAt(record, run.source.path)) continue;
      names.add(name);
      if (mayClose) await close(run, record);
    } catch (cause) {
      const error = asKnownError(cause, `take up the eviction of "${name}" that an earlier run began`);
      if (error.stopsRun !== undefined) throw error;
      bad.push({ name, error });
    }
  }
  return { names, bad };
}

async function close(run: RunState, record: LedgerRecord): Promise<void> {
  const { fs, clock, journal, log } = run.services;
  const { backup_name: name, incarnation } = record;
  const { path: root } = run.source;
  if (!await isFolderGone(fs, run.source, name)) return;
  // Another disk at the same path says nothing of the one that was being freed: the claim tells which this is. Or the
  // journal has the intent, and a root with another marker than it knew would have stopped this run.
  const claim = await claimAtFolder(fs, root, name);
  const isKnown = await journal.intents.get(incarnation, EVICTION.id) !== undefined;
  if (claim?.incarnation !== incarnation && !isKnown) throw neverHere(name, root);
  await recordEnd({ clock, journal, ledger: run.requireLedger() }, EVICTION, { id: incarnation, name });
  log.info(`${name}: an earlier run had removed it from ${EVICTION.id}; the ledger says so now`);
}

function neverHere(name: string, root: string): PipelineError {
  return new PipelineError(
    "backup/other-disk",
    `Cannot end the eviction of "${name}" that an earlier run began: "${root}" does not show that it ever was there`,
    {
      hint:
        "Another disk or share is mounted there, or its folder .labferry was lost. Bring back the one that held it, " +
        "and run again. If that is gone for good, the copy is gone with it, and S3 keeps the backup: the ledger leaves " +
        "the eviction open, and this stays a reminder.",
    },
  );
}

const OTHER_CLAIM = "The copy stays. Another study may be taking this name; look at which host backs it up.";
const LOST_CLAIM =
  "The copy stays. Claims lie in .labferry/claims of a place: when copies were moved to other storage, " +
  "bring that folder along. Or put the study back below source_root: a backup claims its name anew.";

/**
 * SAFETY S11: the name is this incarnation's at the place that is freed, and at every place that stays. Nothing is
 * claimed here: a claim that is missing is one that nobody vouches for.
 * @throws {PipelineError} `backup/claim`
 */
export async function assertClaimsAgree(run: RunState, item: TreeItem, signal: AbortSignal): Promise<void> {
  const found = [{
    id: EVICTION.id as string,
    claim: await claimAtFolder(run.services.fs, run.source.path, item.name),
  }];
  for (const place of run.places) found.push({ id: place.id, claim: await place.claimant(item.name, signal) });
  for (const { id, claim } of found) {
    if (claim?.incarnation === item.id) continue;
    const whose = claim === undefined ? "missing" : `${claim.host}'s (${claim.source_path}) since ${claim.claimed_at}`;
    throw new PipelineError(
      "backup/claim",
      `Cannot free a copy of "${item.name}": the claim of its name at ${id} is ${whose}, wanted the one of the ledger's record`,
      { hint: claim === undefined ? LOST_CLAIM : OTHER_CLAIM },
    );
  }
}

/** Whether a folder of this name is below the root. */
export async function isBackup({ services, source }: RunState, name: string): Promise<boolean> {
  const folders = await services.fs.readDir(source.path);
  return folders.some((entry) => entry.name === name && entry.kind === "directory");
}
