/**
 * The journal's stores that sources, notifiers and several workers share: outbox, cursors, claims, seen keys. Their
 * stamps move no latest instant: they are made whatever the clock says, also by a run that found it wrong.
 * @module
 */
import type { Json } from "../json.ts";
import type { ClaimStore, CursorStore, Outbox, OutboxEvent, SeenStore } from "./journal.ts";
import { type Database, instantOf } from "./_database.ts";

/** Sent events are kept this long for people who ask what was sent, in ms (90 days). */
const SENT_KEEP_MS = 90 * 86_400_000;

/** Events of this config (parameter 1), and those of which nobody knows whose they are. */
const OWN = "(?1 IS NULL OR config IN ('', ?1))";

export class SqliteOutbox implements Outbox {
  readonly #db: Database;
  /** Whose events these are; undefined for those of every config. */
  readonly #config: string | undefined;
  constructor(db: Database, config?: string) {
    this.#db = db;
    this.#config = config;
  }

  /** Enqueuing an id a second time changes nothing. */
  enqueue(event: OutboxEvent): Promise<void> {
    return this.enqueueMany([event]);
  }

  /** One transaction, and so one flush, however many there are. */
  enqueueMany(events: readonly OutboxEvent[]): Promise<void> {
    return this.#db.change("queue events", [], () => {
      for (const { id, event, at, data } of events) {
        this.#db.run(
          "INSERT INTO outbox (config, id, event, at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          this.#config ?? "",
          id,
          event,
          at,
          JSON.stringify(data),
        );
      }
    });
  }

  /** Events not yet sent, in the order they were queued. */
  pending(): Promise<OutboxEvent[]> {
    return this.#db.ask(
      "read events",
      () =>
        this.#db.all(
          `SELECT id, event, at, data FROM outbox WHERE sent_at IS NULL AND ${OWN} ORDER BY seq`,
          this.#config ?? null,
        ).map((row) => ({
          id: row.id as string,
          event: row.event as string,
          at: row.at as string,
          data: JSON.parse(row.data as string) as Json,
        })),
    );
  }

  markSent(id: string, at: string): Promise<void> {
    return this.#db.change("mark an event as sent", [], () => {
      const sent = instantOf(at);
      this.#db.run(
        `UPDATE outbox SET sent_at = ?2 WHERE id = ?3 AND sent_at IS NULL AND ${OWN}`,
        this.#config ?? null,
        new Date(sent).toISOString(),
        id,
      );
      this.#db.run("DELETE FROM outbox WHERE sent_at < ?", new Date(sent - SENT_KEEP_MS).toISOString());
    });
  }
}

export class SqliteCursorStore implements CursorStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  get(name: string): Promise<Json | undefined> {
    return this.#db.ask("read a cursor", () => {
      const row = this.#db.one("SELECT value FROM cursor WHERE name = ?", name);
      return row && JSON.parse(row.value as string) as Json;
    });
  }

  set(name: string, value: Json): Promise<void> {
    return this.#db.change("write a cursor", [], () => {
      this.#db.run("INSERT OR REPLACE INTO cursor VALUES (?, ?)", name, JSON.stringify(value));
    });
  }
}

export class SqliteClaimStore implements ClaimStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  claim(name: string, holder: string, lease: { now: number; ms: number }): Promise<boolean> {
    return this.#db.change("claim a name", [], () => {
      const row = this.#db.one("SELECT holder, since, ms FROM claim WHERE name = ?", name);
      if (row === undefined || row.holder === holder || lease.now >= (row.since as number) + (row.ms as number)) {
        this.#db.run("INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?)", name, holder, lease.now, lease.ms);
        return true;
      }
      // A stamp from the future never prolongs a lease (SAFETY S13): from now on it runs its own length, no more.
      if ((row.since as number) > lease.now) {
        this.#db.run("UPDATE claim SET since = ? WHERE name = ?", lease.now, name);
      }
      return false;
    });
  }

  holder(name: string): Promise<string | undefined> {
    return this.#db.ask("read a claim", () => {
      const row = this.#db.one("SELECT holder FROM claim WHERE name = ?", name);
      return row && row.holder as string;
    });
  }

  /** False when the claim is another's or gone; then the holder must stop. */
  heartbeat(name: string, holder: string, lease: { now: number; ms: number }): Promise<boolean> {
    return this.#db.change("renew a claim", [], () =>
      this.#db.run(
        "UPDATE claim SET since = ?, ms = ? WHERE name = ? AND holder = ?",
        lease.now,
        lease.ms,
        name,
        holder,
      ) === 1);
  }

  release(name: string, holder: string): Promise<void> {
    return this.#db.change("release a claim", [], () => {
      this.#db.run("DELETE FROM claim WHERE name = ? AND holder = ?", name, holder);
    });
  }
}

export class SqliteSeenStore implements SeenStore {
  readonly #db: Database;
  readonly #prefix: string;
  /** Keys are those of `config` alone: what one has told, another may not know. */
  constructor(db: Database, config?: string) {
    this.#db = db;
    this.#prefix = config === undefined ? "" : `${config}\n`;
  }

  get(key: string): Promise<number | undefined> {
    return this.#db.ask("read a cooldown", () => {
      const row = this.#db.one("SELECT at FROM seen WHERE key = ?", this.#prefix + key);
      return row && row.at as number;
    });
  }

  mark(key: string, at: number, keepMs: number): Promise<void> {
    return this.markMany([{ key, keepMs }], at);
  }

  markMany(keys: readonly { key: string; keepMs: number }[], at: number): Promise<void> {
    return this.#db.change("note cooldowns", [], () => {
      for (const { key, keepMs } of keys) {
        this.#db.run(
          "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)",
          this.#prefix + key,
          Math.floor(at),
          Math.ceil(at + keepMs),
        );
      }
      this.#db.run("DELETE FROM seen WHERE until < ?", Math.floor(at));
    });
  }
}
