/**
 * A journal for dry runs: a private copy of the live one. Opening a database with a write-ahead log writes even when it
 * is opened for reading only (measured), so a dry run must never touch the live file (SAFETY S17).
 * @module
 */
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";
import { errnoOf } from "../io/io_errors.ts";
import { holdLock } from "./_journal_lock.ts";
import { inWords } from "./_database.ts";
import { type JournalOptions, type LocalJournal, openJournal, openMemoryJournal } from "./sqlite.ts";

const ATTEMPTS = 5;
const LOCK_WAIT_MS = 10_000;
const WAL_HEADER = 32;

/** How a journal is copied and opened. */
export interface CopyOptions extends Pick<JournalOptions, "config"> {
  /** Where the temporary folder is made; by default where the system makes them. */
  within?: string;
}

/**
 * Opens a copy of the journal in a temporary folder; disposal removes it.
 * What is written to it is lost. Without a live journal: an empty one in memory.
 * @throws {PipelineError} `journal/busy` when the live journal never held still, and what `openJournal` throws
 */
export async function copyJournalForReading(
  path: string,
  { within, ...options }: CopyOptions = {},
): Promise<LocalJournal> {
  if (await fingerprint(path) === undefined) return await openMemoryJournal();
  const folder = await Deno.makeTempDir({ prefix: "labferry-journal-", dir: within });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    const copy = join(folder, "journal.db");
    await copyPair(path, copy);
    const journal = await openJournal(copy, options);
    return disposingAlso(journal, remove);
  } catch (error) {
    await remove();
    throw ofLive(error, { copied: join(folder, "journal.db"), path });
  }
}

/** What is wrong with the copy is wrong with the journal it was made of, and that one people can find. */
function ofLive(error: unknown, { copied, path }: { copied: string; path: string }): unknown {
  if (error instanceof PipelineError && error.message.includes(copied)) {
    const { code, hint, stopsRun, retry } = error;
    return new PipelineError(code, error.message.replaceAll(copied, path), {
      hint,
      stopsRun,
      retry,
      cause: error.cause,
    });
  }
  return inWords(path, "look at what is known", error);
}

async function copyPair(from: string, to: string): Promise<void> {
  // Only when it is there: a dry run makes no file. Every process that has the journal open has it.
  await using stack = new AsyncDisposableStack();
  const lock = await orUndefined(openStanding(`${from}.lock`));
  if (lock !== undefined) {
    stack.defer(() => lock.close());
    const held = await holdLock(lock, LOCK_WAIT_MS).catch((error) => {
      throw errnoOf(error) === "EBADF" ? unlockable(from, error) : error;
    });
    if (!held) throw busy(from);
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await fingerprint(from);
    await Deno.copyFile(from, to);
    // Commits only append to the log. A log cut short in its last frame is read up to the commit before.
    const hasLog = await orUndefined(Deno.copyFile(`${from}-wal`, `${to}-wal`).then(() => true));
    if (!hasLog) await orUndefined(Deno.remove(`${to}-wal`));
    if (before !== undefined && before === await fingerprint(from)) return;
  }
  throw busy(from);
}

/** For writing where that is allowed, since NFS locks no other file (flock(2), "EBADF"); nothing is written. */
async function openStanding(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(errnoOf(error) ?? "")) throw error;
    return await Deno.open(path, { read: true });
  }
}

function unlockable(path: string, cause: unknown): PipelineError {
  return new PipelineError(
    "journal/unlockable",
    `Cannot copy the journal "${path}": its lock may only be read, and this share locks only what may be written`,
    { cause, hint: "Keep the state folder on a local disk, or give this account write access to it.", stopsRun: 1 },
  );
}

/** What changes when a log is folded into its database or begun anew: the database's stat, and the log's header. */
async function fingerprint(path: string): Promise<string | undefined> {
  const info = await orUndefined(Deno.stat(path));
  if (info === undefined) return undefined;
  let header = "";
  const log = await orUndefined(Deno.open(`${path}-wal`, { read: true }));
  if (log !== undefined) {
    try {
      const bytes = new Uint8Array(WAL_HEADER);
      header = bytes.subarray(0, await log.read(bytes) ?? 0).toHex();
    } finally {
      log.close();
    }
  }
  return `${info.ino} ${info.size} ${info.mtime?.getTime()} ${header}`;
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function busy(path: string): PipelineError {
  return new PipelineError("journal/busy", `Cannot copy the journal "${path}": another process keeps changing it`, {
    hint: "Try again in a minute, or when the other run has ended.",
    retry: "transient",
    stopsRun: 1,
  });
}

function disposingAlso(journal: LocalJournal, also: () => Promise<void>): LocalJournal {
  const dispose = journal[Symbol.asyncDispose].bind(journal);
  journal[Symbol.asyncDispose] = async () => {
    try {
      await dispose();
    } finally {
      await also();
    }
  };
  return journal;
}
