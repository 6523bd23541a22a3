/** What a source is given: the candidates below its root, told apart and named safely (SAFETY S14, S15). @module */
import { join } from "@std/path";
import type { Json } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { checkName, collisionKey, isReservedName, isReservedStudyName, namesError } from "../io/names.ts";
import { hostSystem, itemPath, sortBytes } from "../io/paths.ts";
import { ioError } from "../io/io_errors.ts";
import { walkTree } from "../io/walk.ts";
import { checkItemSegment } from "../pipeline/template.ts";
import type { CandidateFolder, ItemContext, SourceContext, Space } from "../ports.ts";
import { incarnationOf } from "../safety/incarnation.ts";
import { digested } from "../safety/settled.ts";
import { backupItem, listBackups, lookAtBackup } from "./backups.ts";
import type { TreeItem } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

/** A folder whose name no place can carry or tell apart from another's. */
export interface BadFolder {
  name: string;
  error: PipelineError;
}

export interface Candidates {
  good: CandidateFolder[];
  bad: BadFolder[];
}

/** Lists the folders directly below the source's root, sorted by bytes. Links and files are named in the log and left out. */
export async function listCandidates(run: RunState): Promise<Candidates> {
  const { fs, log } = run.services;
  const root = run.source.path;
  const entries = await fs.readDir(root).catch((cause) => {
    throw ioError(cause, { verb: "list", path: root });
  });
  const kinds = new Map(entries.map((entry) => [entry.name, entry.kind]));
  const names: string[] = [];
  const files: string[] = [];
  for (const name of sortBytes([...kinds.keys()])) {
    if (name.toLowerCase().startsWith(".labferry")) continue;
    if (kinds.get(name) === "directory") names.push(name);
    else if (kinds.get(name) === "file" && !isReservedName(name) && !isReservedStudyName(name)) files.push(name);
    else if (kinds.get(name) === "symlink") {
      log.warn(`"${name}" in ${root} is a link: it is never followed, and left out`);
    }
  }
  if (files.length > 0) log.info(strayFiles(root, files));
  const byKey = new Map<string, string[]>();
  for (const name of names) byKey.set(collisionKey(name), [...byKey.get(collisionKey(name)) ?? [], name]);
  const candidates: Candidates = { good: [], bad: [] };
  for (const name of names) {
    if (await isStateFolder(run, itemPath(root, name))) {
      log.warn(`"${name}" in ${root} is a state folder of labferry, and no study: it is left out; move it elsewhere`);
      continue;
    }
    const error = nameError(name, byKey.get(collisionKey(name)) ?? []);
    if (error) candidates.bad.push({ name, error });
    else candidates.good.push({ name, path: itemPath(root, name) });
  }
  return candidates;
}

const LOG_FILE = /^labferry-\d{4}-\d{2}-\d{2}(?:\.\d+)?\.log$/;

/** Whether a folder holds what labferry keeps for itself: a journal with its lock, or its logs. */
async function isStateFolder({ services: { fs } }: RunState, folder: string): Promise<boolean> {
  // A folder that cannot be looked into is told of by whoever takes it up.
  const kindOf = async (name: string) => (await fs.lstat(join(folder, name)).catch(() => undefined))?.kind;
  if (await kindOf("journal.db") === "file" && await kindOf("journal.db.lock") === "file") return true;
  if (await kindOf("logs") !== "directory") return false;
  const entries = await fs.readDir(join(folder, "logs")).catch(() => []);
  return entries.some(({ name, kind }) => kind === "file" && LOG_FILE.test(name));
}

/** How many files a message names. */
const NAMED = 5;

function strayFiles(root: string, files: readonly string[]): string {
  const names = files.slice(0, NAMED).map((name) => `"${name}"`).join(", ");
  const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : "";
  return `${names}${more} directly in ${root} ${
    files.length === 1 ? "is a file" : "are files"
  } of no study: only folders are taken up`;
}

function nameError(name: string, alike: readonly string[]): PipelineError | undefined {
  const findings = checkName({ path: name, kind: "directory" }, { system: hostSystem });
  const unsafe = checkItemSegment(name);
  if (unsafe) findings.push({ rule: "names/unsafe", severity: "error", path: name, message: `the name ${unsafe}` });
  if (isReservedStudyName(name)) {
    const message = "labferry keeps something of its own under this name beside the studies";
    findings.push({ rule: "names/reserved", severity: "error", path: name, message });
  }
  const other = alike.find((candidate) => candidate !== name);
  if (other !== undefined) {
    const message = `it differs from "${other}" only in letter case or in the form of its accents`;
    findings.push({ rule: "names/collision", severity: "error", path: name, message });
  }
  return findings.length > 0 ? namesError(name, findings) : undefined;
}

export function sourceContext(run: RunState, shared: ItemContext, folders: readonly CandidateFolder[]): SourceContext {
  return {
    ...shared,
    async *folders() {
      for (const folder of folders) yield { ...folder };
    },
    walk: (folder) =>
      digested(
        walkTree(run.services.fs, folder.path, { signal: shared.signal }),
        (listing) => run.noteListing(folder.path, listing),
      ),
    item: (folder, data) => run.isOverBackups ? backupItem(run, folder, data) : itemOf(run, folder, data),
    async *archived(name) {
      if (!run.isOverBackups) throw new TypeError("only a source that yields backups may ask for what is archived");
      const { only } = run.request;
      if (name !== undefined) {
        const found = await lookAtBackup(run, name);
        if (found) yield found;
        return;
      }
      for (const backup of await listBackups(run)) if (only === undefined || backup.name === only) yield backup;
    },
    space: () => spaceAt(run),
    ...run.request.only === undefined ? {} : { only: run.request.only },
    cursor: (key) => run.services.journal.cursors.get(cursorOf(run, key)),
    setCursor: async (key, value) => {
      if (!run.request.dryRun) await run.services.journal.cursors.set(cursorOf(run, key), value);
    },
  };
}

/** Another disk at the same path has another history. */
function cursorOf({ pipeline, source }: RunState, key: string): string {
  return `${pipeline}:${source.uuid}:${key}`;
}

async function spaceAt({ services, source }: RunState): Promise<Space> {
  await source.check();
  const { free, total } = await services.fs.space(source.path).catch((cause) => {
    throw ioError(cause, { verb: "measure the free space of", path: source.path });
  });
  return { free, total };
}

/** The item of a folder as it is now. @throws {PipelineError} `item/gone` */
export async function itemOf(
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
  const id = incarnationOf(run.source.uuid, stat, folder.name);
  return { id, name: folder.name, kind: "tree", root: folder.path, data };
}
