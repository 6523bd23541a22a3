/**
 * One SQLite connection of the journal: open and migrate, transactions, words for its errors, checkpoints.
 *
 * Checkpoints are ours, not SQLite's: they run only under the OS lock `<journal>.lock`, so that a dry run can copy the
 * database and its write-ahead log as one consistent pair while another process works (SAFETY S17).
 * @module
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { dirname } from "@std/path";
import { PipelineError } from "../errors.ts";
import { asKnownError, errnoOf } from "../io/io_errors.ts";
import { APPLICATION_ID, MIGRATIONS } from "./_schema.ts";
import { tryLockSync } from "../io/try_lock.ts";
import { holdLock, openLock } from "./_journal_lock.ts";

const BUSY_MS = 10_000;
/** The write-ahead log is folded into the database beyond this size, in bytes. */
const WAL_LIMIT = 16 * 2 ** 20;
/** How long opening and closing wait for a reader's copy to finish, in ms. */
const LOCK_WAIT_MS = 15_000;

export type Row = Record<string, unknown>;

/** Hooks for tests: called before a transaction commits; throwing makes it roll back. */
export interface DatabaseHooks {
  beforeCommit?: () => void;
}

export class Database implements AsyncDisposable {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #hooks: DatabaseHooks;
  readonly #statements = new Map<string, StatementSync>();
  readonly #lock: Deno.FsFile | undefined;
  #latest = 0;
  #closed = false;

  /** Use `Database.open`. */
  constructor(path: string, db: DatabaseSync, lock: Deno.FsFile | undefined, hooks: DatabaseHooks) {
    this.path = path;
    this.#db = db;
    this.#lock = lock;
    this.#hooks = hooks;
  }

  /**
   * Opens, creating and migrating as needed. `:memory:` keeps everything in memory.
   * @throws {PipelineError} `journal/newer`, `journal/corrupt`, `journal/foreign`, `journal/cannot-open`, `journal/busy`
   */
  static async open(path: string, hooks: DatabaseHooks = {}, busyMs: number = BUSY_MS): Promise<Database> {
    const { DatabaseSync } = await import("node:sqlite");
    const inMemory = path === ":memory:";
    let lock: Deno.FsFile | undefined;
    let db: DatabaseSync | undefined;
    try {
      if (!inMemory) {
        await Deno.mkdir(dirname(path), { recursive: true });
        lock = await openLock(path);
        // Switching to the write-ahead log is not retried by SQLite itself, and a copy must not see half a migration.
        if (!await holdLock(lock, LOCK_WAIT_MS)) throw locked(path);
      }
      db = new DatabaseSync(path, { timeout: busyMs });
      gate(path, db);
      if (!inMemory) db.exec("PRAGMA journal_mode = WAL");
      db.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16000");
      migrate(path, db);
      lock?.unlockSync();
      return new Database(path, db, lock, hooks);
    } catch (error) {
      try {
        db?.close();
      } catch { /* the first error says what is wrong */ }
      lock?.close();
      throw inWords(path, "keep work", error);
    }
  }

  /** Runs `work` and gives its result as a promise; SQLite's errors become `PipelineError`s. */
  ask<T>(doing: string, work: () => T): Promise<T> {
    try {
      if (this.#closed) throw new TypeError("the journal is closed");
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(inWords(this.path, doing, error));
    }
  }

  /** As `ask`, in one durable transaction. `stamps` (ISO 8601 or ms) move the latest instant forward. */
  change<T>(doing: string, stamps: readonly (string | number)[], work: () => T): Promise<T> {
    return this.ask(doing, () => {
      const instant = latestOf(stamps);
      this.#db.exec("BEGIN IMMEDIATE");
      let result: T;
      try {
        result = work();
        if (instant > this.#latest) {
          this.run("UPDATE meta SET value = max(value, ?) WHERE key = 'latest_instant'", instant);
        }
        this.#hooks.beforeCommit?.();
        this.#db.exec("COMMIT");
      } catch (error) {
        // A failed COMMIT (full disk) may have ended the transaction already; the first error is the one to tell.
        try {
          this.#db.exec("ROLLBACK");
        } catch { /* no transaction is open any more */ }
        throw error;
      }
      this.#latest = Math.max(this.#latest, instant);
      this.#checkpointIfLarge();
      return result;
    });
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }
  one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** A statement prepared once per connection. */
  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #checkpointIfLarge(): void {
    if (this.#lock === undefined) return;
    let size: number;
    try {
      size = Deno.statSync(`${this.path}-wal`).size;
    } catch {
      return; // no log, nothing to fold; a real fault of the disk shows at the next transaction
    }
    if (size < WAL_LIMIT || !tryLockSync(this.#lock)) return; // a copy is being made: the next commit tries again
    try {
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#lock.unlockSync();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    if (this.#lock === undefined) return this.#db.close();
    // The last connection folds the log into the database as it closes, so it closes under the lock. When a copy holds
    // the lock for longer than that, the copy notices the change by itself and starts again.
    const held = await holdLock(this.#lock, LOCK_WAIT_MS);
    try {
      this.#db.close();
    } catch (error) {
      throw inWords(this.path, "close it", error);
    } finally {
      if (held) this.#lock.unlockSync();
      this.#lock.close();
    }
  }
}

function locked(path: string): PipelineError {
  return new PipelineError(
    "journal/busy",
    `Cannot open the journal "${path}": another process has held it for ${LOCK_WAIT_MS / 1000} s`,
    { retry: "transient", stopsRun: 1, hint: WAIT },
  );
}

function latestOf(stamps: readonly (string | number)[]): number {
  let latest = 0;
  let before: string | number | undefined;
  for (const stamp of stamps) {
    if (stamp !== before) latest = Math.max(latest, instantOf(stamp)); // a batch mostly has one stamp
    before = stamp;
  }
  return Math.floor(latest);
}

/** Milliseconds since 1970 of a stamp. @throws {TypeError} when it is none. */
export function instantOf(stamp: string | number): number {
  const instant = typeof stamp === "number" ? stamp : Date.parse(stamp);
  if (!Number.isFinite(instant)) throw new TypeError(`wanted an ISO 8601 time, found "${stamp}"`);
  return instant;
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** Refuses what is not ours or is newer than we are, before anything is written. */
function gate(path: string, db: DatabaseSync): void {
  const version = pragma(db, "user_version");
  const tables = Number((db.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as Row).n);
  if (tables > 0 && pragma(db, "application_id") !== APPLICATION_ID) {
    throw new PipelineError("journal/foreign", `Cannot open "${path}": it is a database of another program`, {
      hint: "Move that file away, or set another state folder with LABFERRY_STATE_DIR.",
      stopsRun: 2,
    });
  }
  if (version > MIGRATIONS.length) {
    throw new PipelineError(
      "journal/newer",
      `Cannot open "${path}": its schema is version ${version}, wanted at most ${MIGRATIONS.length}`,
      {
        hint: "A newer labferry has used this journal. Run that version, or move the journal aside: " +
          "it saves work and never permits a deletion, so everything is proved again.",
        stopsRun: 2,
      },
    );
  }
}

function migrate(path: string, db: DatabaseSync): void {
  if (pragma(db, "user_version") === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // Read again under the write lock: another process may have migrated in between.
    for (let version = pragma(db, "user_version"); version < MIGRATIONS.length; version++) db.exec(MIGRATIONS[version]);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (error) {
    try {
      db.exec("ROLLBACK");
    } catch { /* the first error is the one to tell */ }
    throw inWords(path, "bring its schema up to date", error);
  }
}

const WAIT = "Another labferry of this host uses it. Run again when that one has ended, or end it if it hangs.";
const WRITABLE = "The state folder must be writable by the user who runs this.";
const SICK = "Look at the disk of the state folder: its free space and its health. Then run again.";
const MOVE_ASIDE = "Move the file and its -wal and -shm neighbours aside and run again: the journal saves work and " +
  "never permits a deletion, so what it knew is proved again.";

/** What the system says of the journal's folder or of the files beside it: its words, and what they mean here. */
function ofSystem(error: unknown, { start, path }: { start: string; path: string }): PipelineError {
  const known = asKnownError(error, "use the journal");
  const found = known.message.replace(/^Cannot use the journal: /, "");
  const isFull = known.code === "io/disk-full";
  const more = known.code === "io/read-only" || known.code === "io/failing" ? known.hint : undefined;
  return new PipelineError(isFull ? "journal/full" : "journal/cannot-open", `${start}: ${found}`, {
    cause: error,
    stopsRun: 1,
    retry: known.retry,
    hint: isFull
      ? "Free space on the disk of the state folder."
      : `${WRITABLE} It is "${dirname(path)}"; LABFERRY_STATE_DIR names another.${
        more === undefined ? "" : ` ${more}`
      }`,
  });
}

/** Turns SQLite's error codes into words; other errors pass through. `doing` completes "Cannot use the journal to …". */
export function inWords(path: string, doing: string, error: unknown): unknown {
  if (error instanceof PipelineError || error instanceof TypeError) return error;
  const code = (error as { errcode?: number })?.errcode;
  const reason = error instanceof Error ? error.message : String(error);
  const start = `Cannot use the journal "${path}" to ${doing}`;
  const common = { cause: error, stopsRun: 1 } as const;
  switch (code === undefined ? undefined : code & 0xff) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new PipelineError("journal/busy", `${start}: another process holds it`, {
        ...common,
        retry: "transient",
        hint: WAIT,
      });
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new PipelineError("journal/corrupt", `${start}: ${reason}`, { ...common, hint: MOVE_ASIDE });
    case 13: // SQLITE_FULL
      return new PipelineError("journal/full", `${start}: its disk is full`, {
        ...common,
        hint: "Free space on the disk of the state folder.",
      });
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
      return new PipelineError("journal/cannot-open", `${start}: ${reason}`, { ...common, hint: WRITABLE });
  }
  if (code !== undefined) {
    return new PipelineError("journal/failed", `${start}: ${reason}`, { ...common, hint: SICK });
  }
  if (errnoOf(error) !== undefined) return ofSystem(error, { start, path });
  return error;
}
