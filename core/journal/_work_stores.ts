/**
 * The journal's stores about work under way: finished steps, open destroys, open uploads, probes of stores.
 * @module
 */
import type { Json } from "../json.ts";
import type { Intent, IntentStore, OpenUpload, ProbeStore, StepStore, UploadStore } from "./journal.ts";
import type { Database, Row } from "./_database.ts";

export class SqliteStepStore implements StepStore {
  readonly #db: Database;
  readonly #config: string | undefined;
  /** Steps of events (`event:…`) are those of `config` alone: two may have queued one id, and each tells its own people. */
  constructor(db: Database, config?: string) {
    this.#db = db;
    this.#config = config;
  }

  #own(incarnation: string): string {
    const isShared = this.#config === undefined || !incarnation.startsWith("event:");
    return isShared ? incarnation : `${incarnation}\n${this.#config}`;
  }

  isFinished(incarnation: string, stage: string, step: string): Promise<boolean> {
    return this.#db.ask("read a step", () => this.#get(incarnation, stage, step)?.finished === 1);
  }

  finish(incarnation: string, stage: string, step: string): Promise<void> {
    return this.#db.change("finish a step", [], () => {
      this.#db.run(
        `INSERT INTO step VALUES (?, ?, ?, 1, NULL)
         ON CONFLICT (incarnation, stage, step) DO UPDATE SET finished = 1, checkpoint = NULL`,
        this.#own(incarnation),
        stage,
        step,
      );
    });
  }

  checkpoint(incarnation: string, stage: string, step: string, value: Json): Promise<void> {
    return this.#db.change("write a checkpoint", [], () => {
      this.#db.run(
        `INSERT INTO step VALUES (?, ?, ?, 0, ?)
         ON CONFLICT (incarnation, stage, step) DO UPDATE SET checkpoint = excluded.checkpoint`,
        this.#own(incarnation),
        stage,
        step,
        JSON.stringify(value),
      );
    });
  }

  readCheckpoint(incarnation: string, stage: string, step: string): Promise<Json | undefined> {
    return this.#db.ask("read a checkpoint", () => {
      const text = this.#get(incarnation, stage, step)?.checkpoint;
      return typeof text === "string" ? JSON.parse(text) as Json : undefined;
    });
  }

  forgetCheckpoint(incarnation: string, stage: string, step: string): Promise<void> {
    return this.#db.change("forget a checkpoint", [], () => {
      this.#db.run(
        "DELETE FROM step WHERE incarnation IN (?, ?) AND stage = ? AND step = ? AND finished = 0",
        incarnation,
        this.#own(incarnation),
        stage,
        step,
      );
    });
  }

  remove(incarnation: string): Promise<void> {
    return this.#db.change("forget steps", [], () => {
      this.#db.run("DELETE FROM step WHERE incarnation IN (?, ?)", incarnation, this.#own(incarnation));
    });
  }

  #get(incarnation: string, stage: string, step: string): Row | undefined {
    const find = (incarnation: string) =>
      this.#db.one(
        "SELECT finished, checkpoint FROM step WHERE incarnation = ? AND stage = ? AND step = ?",
        incarnation,
        stage,
        step,
      );
    // What was noted before configs were told apart names none: who was told then is not told again.
    const own = this.#own(incarnation);
    return find(own) ?? (own === incarnation ? undefined : find(incarnation));
  }
}

export class SqliteIntentStore implements IntentStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** An intent that is open already keeps its first time: the destroy began then. */
  open(intent: Intent): Promise<void> {
    return this.#db.change("open an intent", [intent.openedAt], () => {
      this.#db.run(
        "INSERT INTO intent VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        intent.incarnation,
        intent.place,
        intent.item,
        intent.openedAt,
      );
    });
  }

  get(incarnation: string, place: string): Promise<Intent | undefined> {
    return this.#db.ask("read an intent", () => {
      const row = this.#db.one("SELECT * FROM intent WHERE incarnation = ? AND place = ?", incarnation, place);
      return row && intentOf(row);
    });
  }

  close(incarnation: string, place: string): Promise<void> {
    return this.#db.change("close an intent", [], () => {
      this.#db.run("DELETE FROM intent WHERE incarnation = ? AND place = ?", incarnation, place);
    });
  }

  /** All open intents, the oldest first. */
  list(): Promise<Intent[]> {
    return this.#db.ask(
      "read intents",
      () => this.#db.all("SELECT * FROM intent ORDER BY opened_at, incarnation, place").map(intentOf),
    );
  }
}

function intentOf(row: Row): Intent {
  return {
    incarnation: row.incarnation as string,
    place: row.place as string,
    item: row.item as string,
    openedAt: row.opened_at as string,
  };
}

export class SqliteUploadStore implements UploadStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  put(upload: OpenUpload): Promise<void> {
    return this.#db.change("write an upload", [upload.startedAt, upload.usedAt], () => {
      this.#db.run(
        `INSERT OR REPLACE INTO upload (store, key, upload_id, part_size, incarnation, started_at, sha256, mtime, used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        upload.store,
        upload.key,
        upload.uploadId,
        upload.partSize,
        upload.incarnation,
        upload.startedAt,
        upload.sha256,
        upload.mtime,
        upload.usedAt,
      );
    });
  }

  touch({ store, key, uploadId }: Pick<OpenUpload, "store" | "key" | "uploadId">, at: string): Promise<void> {
    return this.#db.change("write an upload", [at], () => {
      this.#db.run(
        "UPDATE upload SET used_at = ? WHERE store = ? AND key = ? AND upload_id = ?",
        at,
        store,
        key,
        uploadId,
      );
    });
  }

  get(store: string, key: string): Promise<OpenUpload | undefined> {
    return this.#db.ask("read an upload", () => {
      const row = this.#db.one("SELECT * FROM upload WHERE store = ? AND key = ?", store, key);
      return row && uploadOf(row);
    });
  }

  list(store: string, incarnation?: string): Promise<OpenUpload[]> {
    return this.#db.ask("read uploads", () =>
      this.#db.all(
        "SELECT * FROM upload WHERE store = ?1 AND (?2 IS NULL OR incarnation = ?2) ORDER BY key",
        store,
        incarnation ?? null,
      ).map(uploadOf));
  }

  remove(store: string, key: string): Promise<void> {
    return this.#db.change("forget an upload", [], () => {
      this.#db.run("DELETE FROM upload WHERE store = ? AND key = ?", store, key);
    });
  }
}

function uploadOf(row: Row): OpenUpload {
  return {
    store: row.store as string,
    key: row.key as string,
    uploadId: row.upload_id as string,
    partSize: row.part_size as number,
    incarnation: row.incarnation as string,
    startedAt: row.started_at as string,
    sha256: row.sha256 as string | null,
    mtime: row.mtime as string | null,
    usedAt: (row.used_at ?? row.started_at) as string,
  };
}

export class SqliteProbeStore implements ProbeStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  get(store: string, operation: string): Promise<{ holds: boolean; at: string } | undefined> {
    return this.#db.ask("read a probe", () => {
      const row = this.#db.one("SELECT holds, at FROM probe WHERE store = ? AND operation = ?", store, operation);
      return row && { holds: row.holds === 1, at: row.at as string };
    });
  }

  set(store: string, operation: string, holds: boolean, at: string): Promise<void> {
    return this.#db.change("write a probe", [at], () => {
      this.#db.run("INSERT OR REPLACE INTO probe VALUES (?, ?, ?, ?)", store, operation, holds ? 1 : 0, at);
    });
  }
}
