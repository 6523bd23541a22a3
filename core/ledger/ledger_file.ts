/**
 * The ledger on a file system: `<root>/YYYY-MM.jsonl`, appended under `<root>/.ledger.lock` (SAFETY S12).
 * @module
 */
import { basename, join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileHandle, FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import type { Clock } from "../ports.ts";
import { withFileLock } from "../safety/os_lock.ts";
import { readAt, readTail, sha256Hex } from "./_lines.ts";
import { MonthCache } from "./_month_cache.ts";
import { ledgerMonths, monthOf } from "./fold.ts";
import { entryProblem, formatLedgerLine, NO_PREVIOUS, storedEntry } from "./line.ts";
import { mayFollow } from "./may_follow.ts";
import type { Ledger, LedgerEntry, LedgerRecord, TornLine } from "./record.ts";

export const LEDGER_LOCK = ".ledger.lock";

export interface LedgerOptions {
  fs: FileSystem;
  /** OS path of `manifest_root`. It must exist. */
  root: string;
  clock: Clock;
  /**
   * Throws unless the root is the marked one (SAFETY S1). Asked before anything is read, and after an append, so that
   * the empty folder that an unmounted share leaves neither says "no record" nor keeps one.
   */
  check?: () => Promise<void>;
  /** Name of this host, for the words about a lock. */
  host: string;
  /** How long an append waits for another process's append, in ms. Default: 60 s. */
  waitMs?: number;
  /** Ends that wait. An append that need not wait is always finished. */
  signal?: AbortSignal;
  /**
   * Called after each append, outside the lock, with the month's file name (`LedgerMirror.onAppended`). What goes wrong
   * there is a warning, never the append's failure.
   */
  onAppended?: (month: string, record: LedgerRecord) => Promise<{ warnings: readonly string[] } | void>;
  /** Told of what went wrong beside the append: a mirror that failed, lines that cannot be read. */
  warn?: (message: string) => void;
}

/** A ledger that can also say which lines it left out. */
export interface LedgerFile extends Ledger {
  /** The latest record of each backup, read anew. */
  all(): Promise<ReadonlyMap<string, LedgerRecord>>;
  torn(): Promise<TornLine[]>;
}

/** Opens the ledger of a folder. Nothing is read or written until asked. */
export function openLedger(options: LedgerOptions): LedgerFile {
  return new FileLedger(options);
}

class FileLedger implements LedgerFile {
  readonly root: string;
  readonly #options: LedgerOptions;
  readonly #cache: MonthCache;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #told = new Set<string>();
  readonly #flushedNames = new Set<string>();

  constructor(options: LedgerOptions) {
    this.root = options.root;
    this.#options = options;
    this.#cache = new MonthCache(options.fs, options.root);
  }

  async latest(backupName: string): Promise<LedgerRecord | undefined> {
    await this.#options.check?.();
    const found = await this.#cache.latest(backupName);
    this.#tellTorn();
    return found?.record;
  }

  async all(): Promise<ReadonlyMap<string, LedgerRecord>> {
    const fold = await this.#cache.fold();
    this.#tellTorn();
    return fold.records;
  }

  async torn(): Promise<TornLine[]> {
    return (await this.#cache.fold()).torn;
  }

  /**
   * Appends a record to the month of its `started_at` (UTC), flushed and read back.
   * @throws {PipelineError} `ledger/weakens`, `ledger/behind`, `ledger/invalid`, `ledger/busy`, `ledger/read-back`, `ledger/cannot-append`
   */
  async append(unsafe: LedgerEntry): Promise<LedgerRecord> {
    const entry = storedEntry(unsafe);
    const problem = entryProblem(unsafe);
    if (problem !== undefined) {
      throw new PipelineError("ledger/invalid", `Cannot record "${entry.backup_name}" in the ledger: ${problem}`, {
        hint: "Nothing was recorded and nothing deleted. This is a fault of labferry: keep the log and report it.",
      });
    }
    // Appends of this process stand in line, so that they do not wait for each other by polling the lock.
    const turn = this.#queue.then(() => this.#appendLocked(entry));
    this.#queue = turn.catch(() => {}); // the caller is told by `turn`; the next in line goes on
    const record = await turn;
    try {
      const outcome = await this.#options.onAppended?.(monthOf(record.started_at), record);
      for (const warning of outcome?.warnings ?? []) this.#options.warn?.(warning);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.warn?.(`The ledger has the record of "${entry.backup_name}", but its mirror does not: ${reason}`);
    }
    return record;
  }

  async flush(record: LedgerRecord): Promise<void> {
    const { fs, check } = this.#options;
    const path = join(this.root, monthOf(record.started_at));
    await check?.();
    try {
      await using handle = await fs.openReadWrite(path);
      await handle.sync();
      await fs.syncDir(this.root);
    } catch (error) {
      throw ioError(error, { verb: "flush the ledger", path });
    }
  }

  async #appendLocked(entry: LedgerEntry): Promise<LedgerRecord> {
    const { fs, check, waitMs = 60_000, signal } = this.#options;
    const path = join(this.root, LEDGER_LOCK);
    const clock: Clock = {
      now: () => this.#options.clock.now(),
      sleep: (ms) => this.#options.clock.sleep(ms, signal),
    };
    try {
      await check?.();
      const record = await withFileLock({ fs, path, clock, waitMs }, () => this.#append(entry));
      await check?.();
      return record;
    } catch (error) {
      if (error instanceof PipelineError && error.code === "lock/timeout") {
        throw new PipelineError(
          "ledger/busy",
          `Cannot append to the ledger "${this.root}": another process has held its lock for ${waitMs / 1000} s`,
          { cause: error, retry: "transient", hint: `Look for another labferry that hangs; the lock is "${path}".` },
        );
      }
      if (signal?.aborted && error === signal.reason) throw error;
      throw ioError(error, { verb: "append to the ledger", path: this.root });
    }
  }

  async #append(entry: LedgerEntry): Promise<LedgerRecord> {
    const { fs } = this.#options;
    const month = monthOf(entry.started_at);
    const latest = await this.#cache.latest(entry.backup_name);
    this.#judge(latest, entry, month);
    const months = await ledgerMonths(fs, this.root);
    const file = join(this.root, month);
    const record = await this.#writeLine(file, months, entry);
    // Also for a month that was there: whoever made it may have died, or failed, before its name was on the medium.
    if (!this.#flushedNames.has(month)) await fs.syncDir(this.root);
    this.#flushedNames.add(month);
    // What was written is what everybody reads from now on, this process too.
    const stored = (await this.#cache.latest(entry.backup_name))?.record;
    if (stored === undefined || formatLedgerLine(stored) !== formatLedgerLine(record)) {
      throw readBack(file, "its latest record is another than the one just written");
    }
    return stored;
  }

  async #writeLine(file: string, months: readonly string[], entry: LedgerEntry): Promise<LedgerRecord> {
    await using handle = await this.#options.fs.openReadWrite(file);
    const before = await handle.stat();
    const tail = await readTail(handle, before.size) ?? await this.#tailBefore(months, basename(file));
    const record: LedgerRecord = { ...entry, prev: tail?.sha256 ?? NO_PREVIOUS };
    const line = new TextEncoder().encode(`${formatLedgerLine(record)}\n`);
    const torn = before.size > 0 && tail?.closed === false;
    const bytes = torn ? concat(NEWLINE, line) : line;
    await write(handle, file, { at: before.size, bytes });
    this.#cache.appended(basename(file), { before, after: await handle.stat(), added: bytes.length, record });
    return record;
  }

  #judge(latest: { record: LedgerRecord; month: string } | undefined, entry: LedgerEntry, month: string): void {
    const verdict = mayFollow(latest?.record, entry);
    if (!verdict.ok) {
      throw new PipelineError(
        "ledger/weakens",
        `Cannot record "${entry.backup_name}" as ${entry.status} in the ledger: ${verdict.why}`,
        { hint: "The record that stands is kept. If the study is new data, give its folder a name of its own." },
      );
    }
    if (latest !== undefined && latest.month > month) {
      throw new PipelineError(
        "ledger/behind",
        `Cannot record "${entry.backup_name}" in ${month}: its latest record is in ${latest.month}, ` +
          "wanted the same or a later month",
        { hint: "A clock was wrong, here or on the host of that record. Set the clock right and run again." },
      );
    }
  }

  /** The last line of the newest earlier month that has one. */
  async #tailBefore(
    months: readonly string[],
    month: string,
  ): Promise<{ sha256: string; closed: boolean } | undefined> {
    for (const earlier of months.filter((name) => name < month).reverse()) {
      await using handle = await this.#options.fs.openRead(join(this.root, earlier));
      const tail = await readTail(handle, (await handle.stat()).size);
      if (tail !== undefined) return tail;
    }
    return undefined;
  }

  #tellTorn(): void {
    for (const { file, line, reason } of this.#cache.torn()) {
      const key = `${file}:${line}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#options.warn?.(`Line ${line} of the ledger ${file} is left out: ${reason}`);
    }
  }
}

const NEWLINE = new Uint8Array([0x0a]);

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function readBack(file: string, found: string): PipelineError {
  return new PipelineError("ledger/read-back", `Cannot append to the ledger "${file}": ${found}`, {
    hint: "The disk or share does not keep what is written to it. Nothing is deleted; look at the disk first.",
    stopsRun: 1,
  });
}

async function write(
  handle: FileHandle,
  file: string,
  { at, bytes }: { at: number; bytes: Uint8Array },
): Promise<void> {
  try {
    await handle.seek(at);
    await handle.write(bytes);
    await handle.sync();
  } catch (error) {
    // What was written of the line stays: the next append closes it, and readers skip it.
    throw ioError(error, { verb: "append to the ledger", path: file });
  }
  const stored = await readAt(handle, at, bytes.length + 1);
  if (sha256Hex(stored) !== sha256Hex(bytes)) throw readBack(file, "reading back gives other bytes than were written");
}
