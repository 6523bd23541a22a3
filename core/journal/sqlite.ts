/**
 * The journal on SQLite: one file in the state folder, write-ahead log, every commit flushed to the medium.
 * @module
 */
import type { Json } from "../json.ts";
import type { Intent, Journal, RunRow } from "./journal.ts";
import { Database, type DatabaseHooks, type Row } from "./_database.ts";
import { SqliteEvidenceStore } from "./_evidence_store.ts";
import { SqliteClaimStore, SqliteCursorStore, SqliteOutbox, SqliteSeenStore } from "./_shared_stores.ts";
import { SqliteIntentStore, SqliteProbeStore, SqliteStepStore, SqliteUploadStore } from "./_work_stores.ts";

export { copyJournalForReading } from "./copy.ts";

/** A journal that can also be asked what has been going on, for `status` and `explain`. */
export interface LocalJournal extends Journal {
  /** The latest runs, newest first. Default limit: 20. */
  runs(options?: { pipeline?: string; limit?: number }): Promise<RunRow[]>;
  /** Destroys that were begun and neither finished nor withdrawn, oldest first. */
  openIntents(): Promise<Intent[]>;
}

/** How a journal is opened. `hooks` are for tests. */
export interface JournalOptions {
  /** The config whose events and marks are meant, as a key of its path; without one the events of all are seen. */
  config?: string;
  /** How long (ms) a write of another process is waited for, and nothing else done. Default: 10 s. */
  busyMs?: number;
  hooks?: DatabaseHooks;
}

/**
 * Opens the journal at an OS path, creating file and folder as needed.
 * @throws {PipelineError} `journal/newer`, `journal/corrupt`, `journal/foreign`, `journal/cannot-open`, `journal/busy`
 */
export async function openJournal(path: string, options: JournalOptions = {}): Promise<LocalJournal> {
  return new SqliteJournal(await Database.open(path, options.hooks, options.busyMs), options.config);
}

/** A journal that lives in memory only: the same code and schema. */
export async function openMemoryJournal(options: Pick<JournalOptions, "hooks"> = {}): Promise<LocalJournal> {
  return new SqliteJournal(await Database.open(":memory:", options.hooks));
}

class SqliteJournal implements LocalJournal {
  readonly #db: Database;
  readonly evidence: SqliteEvidenceStore;
  readonly steps: SqliteStepStore;
  readonly intents: SqliteIntentStore;
  readonly uploads: SqliteUploadStore;
  readonly probes: SqliteProbeStore;
  readonly outbox: SqliteOutbox;
  readonly cursors: SqliteCursorStore;
  readonly claims: SqliteClaimStore;
  readonly seen: SqliteSeenStore;

  constructor(db: Database, config?: string) {
    this.#db = db;
    this.evidence = new SqliteEvidenceStore(db);
    this.steps = new SqliteStepStore(db, config);
    this.intents = new SqliteIntentStore(db);
    this.uploads = new SqliteUploadStore(db);
    this.probes = new SqliteProbeStore(db);
    this.outbox = new SqliteOutbox(db, config);
    this.cursors = new SqliteCursorStore(db);
    this.claims = new SqliteClaimStore(db);
    this.seen = new SqliteSeenStore(db, config);
  }

  startRun(run: Omit<RunRow, "finishedAt" | "exitCode">): Promise<void> {
    // Nobody has looked at the clock yet: the stamp is for people.
    return this.#db.change("record a run", [], () => {
      this.#db.run("INSERT INTO run VALUES (?, ?, ?, NULL, NULL)", run.id, run.pipeline, run.startedAt);
    });
  }

  finishRun(
    id: string,
    finishedAt: string,
    exitCode: number,
    { clock = "right" }: { clock?: "right" | "wrong" } = {},
  ): Promise<void> {
    return this.#db.change("record a run", clock === "right" ? [finishedAt] : [], () => {
      const changed = this.#db.run(
        "UPDATE run SET finished_at = ?, exit_code = ? WHERE id = ?",
        finishedAt,
        exitCode,
        id,
      );
      if (changed !== 1) throw new TypeError(`the journal has no run "${id}"`);
    });
  }

  latestInstant(): Promise<number> {
    return this.#db.ask(
      "read",
      () => Number(this.#db.one("SELECT value FROM meta WHERE key = 'latest_instant'")?.value ?? 0),
    );
  }

  group(name: string): Promise<{ item: string; data: Json }[]> {
    return this.#db.ask(
      "read a group",
      () =>
        this.#db.all("SELECT item, data FROM member WHERE name = ? ORDER BY item", name).map((row) => ({
          item: row.item as string,
          data: JSON.parse(row.data as string) as Json,
        })),
    );
  }

  joinGroup(name: string, item: string, data: Json): Promise<void> {
    return this.#db.change("join a group", [], () => {
      this.#db.run("INSERT OR REPLACE INTO member VALUES (?, ?, ?)", name, item, JSON.stringify(data));
    });
  }

  runs(options: { pipeline?: string; limit?: number } = {}): Promise<RunRow[]> {
    return this.#db.ask("read runs", () =>
      this.#db.all(
        "SELECT * FROM run WHERE ?1 IS NULL OR pipeline = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2",
        options.pipeline ?? null,
        options.limit ?? 20,
      ).map(runOf));
  }

  openIntents(): Promise<Intent[]> {
    return this.intents.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db[Symbol.asyncDispose]();
  }
}

function runOf(row: Row): RunRow {
  return {
    id: row.id as string,
    pipeline: row.pipeline as string,
    startedAt: row.started_at as string,
    finishedAt: row.finished_at as string | null,
    exitCode: row.exit_code as number | null,
  };
}
