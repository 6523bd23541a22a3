/**
 * The journal's stores that sources, notifiers and several workers share: outbox, cursors, claims, seen keys. Their
 * stamps move no latest instant: they are made whatever the clock says, also by a run that found it wrong.
 * @module
 */
import type { Json } from "../json.ts";
import type { ClaimStore, Condense, CursorStore, Outbox, OutboxEvent, SeenStore } from "./journal.ts";
import { type Database, instantOf, type Row } from "./_database.ts";

/** Sent events are kept this long for people who ask what was sent, in ms (90 days). */
const SENT_KEEP_MS = 90 * 86_400_000;

/** Events of this config (twice a parameter), and those of which nobody knows whose they are. */
const OWN = "(? IS NULL OR config IN ('', ?))";

export class SqliteOutbox implements Outbox {
  readonly #db: Database;
  /** Whose events these are; undefined for those of every config. */
  readonly #config: string | undefined;
  constructor(db: Database, config?: string) {
    this.#db = db;
    this.#config = config;
  }

  /** The parameters of `OWN`. */
  get #mine(): [string | null, string | null] {
    return [this.#config ?? null, this.#config ?? null];
  }

  /** Enqueuing an id a second time changes nothing. */
  enqueue(event: OutboxEvent): Promise<void> {
    return this.enqueueMany([event]);
  }

  /** One transaction, and so one flush, however many there are. */
  enqueueMany(events: readonly OutboxEvent[]): Promise<void> {
    return this.#db.change("queue events", [], () => {
      for (const event of events) this.#insert(event);
    });
  }

  putMany(events: readonly OutboxEvent[]): Promise<void> {
    const amend = "ON CONFLICT (config, id) DO UPDATE SET data = excluded.data WHERE sent_at IS NULL";
    return this.#db.change("queue events", [], () => {
      for (const event of events) this.#insert(event, amend);
    });
  }

  #insert({ id, event, at, data }: OutboxEvent, otherwise = "ON CONFLICT DO NOTHING"): void {
    const sql = `INSERT INTO outbox (config, id, event, at, data) VALUES (?, ?, ?, ?, ?) ${otherwise}`;
    this.#db.run(sql, this.#config ?? "", id, event, at, JSON.stringify(data));
  }

  pending(options: { event?: string; after?: string; limit?: number } = {}): Promise<OutboxEvent[]> {
    return this.#db.ask("read events", () => this.#pending(options));
  }

  #pending({ event, after, limit = -1 }: { event?: string; after?: string; limit?: number }): OutboxEvent[] {
    const ofOne = event === undefined ? "" : "AND event = ?";
    return this.#db.all(
      `SELECT id, event, at, data FROM outbox WHERE sent_at IS NULL AND ${OWN} ${ofOne} AND seq > CASE
       WHEN ? IS NULL THEN -1 ELSE (SELECT max(seq) FROM outbox WHERE id = ? AND ${OWN}) END ORDER BY seq LIMIT ?`,
      ...this.#mine,
      ...event === undefined ? [] : [event],
      after ?? null,
      after ?? null,
      ...this.#mine,
      limit,
    ).map(toEvent);
  }

  hasPending(): Promise<boolean> {
    return this.#db.ask(
      "look for events",
      () =>
        this.#db.one(`SELECT 1 AS one FROM outbox WHERE sent_at IS NULL AND ${OWN} LIMIT 1`, ...this.#mine) !==
          undefined,
    );
  }

  waiting(): Promise<Map<string, number>> {
    return this.#db.ask("count events", () => this.#count("1", []));
  }

  #count(where: string, values: string[]): Map<string, number> {
    const sql = `SELECT event, count(*) AS n FROM outbox WHERE sent_at IS NULL AND ${OWN} AND ${where} GROUP BY event`;
    return new Map(this.#db.all(sql, ...this.#mine, ...values).map((row) => [row.event as string, Number(row.n)]));
  }

  condense(event: string, { over, first, at, by }: Condense): Promise<OutboxEvent | undefined> {
    return this.#db.change("condense events", [], () => {
      const count = this.#count("event = ?", [event]).get(event) ?? 0;
      if (count <= over) return undefined;
      const last = this.#db.one(
        `SELECT id, event, at, data FROM outbox WHERE sent_at IS NULL AND ${OWN} AND event = ? ORDER BY seq DESC LIMIT 1`,
        ...this.#mine,
        event,
      );
      if (last === undefined) return undefined;
      const one = by({ count, first: this.#pending({ event, limit: first }), last: toEvent(last) });
      this.#giveUp("event = ?", [event], at);
      this.#insert(one);
      return one;
    });
  }

  othersBefore(instant: string): Promise<string[]> {
    if (this.#config === undefined) return Promise.resolve([]); // all are its own already
    const sql =
      "SELECT DISTINCT config FROM outbox WHERE sent_at IS NULL AND config NOT IN ('', ?) AND at < ? ORDER BY 1";
    const own = this.#config;
    return this.#db.ask(
      "look for old events",
      () => this.#db.all(sql, own, instant).map((row) => row.config as string),
    );
  }

  adopt(config: string, instant: string): Promise<number> {
    const old = "sent_at IS NULL AND config = ? AND at < ?";
    return this.#db.change("take over old events", [], () => {
      this.#forgetSteps(old, [config, instant]);
      // Two configs may have queued one id, and what is sent is known by it. Whose it is now knows whom it told of it.
      const sql = `UPDATE outbox SET config = ?, id = id || ':' || seq WHERE ${old}`;
      return this.#db.run(sql, this.#config ?? "", config, instant);
    });
  }

  async adoptNobodys(): Promise<void> {
    const own = this.#config;
    const nobodys = "FROM outbox WHERE sent_at IS NULL AND config = ''";
    if (
      own === undefined ||
      await this.#db.ask("read events", () => this.#db.one(`SELECT 1 ${nobodys} LIMIT 1`)) === undefined
    ) {
      return;
    }
    await this.#db.change("take over events", [], () => {
      // Their ids stay: whom an older version has told is known by them.
      this.#db.run("UPDATE OR IGNORE outbox SET config = ? WHERE sent_at IS NULL AND config = ''", own);
    });
  }

  /** Their ids stay, so that they are not queued again; what they say is let go. */
  #giveUp(where: string, values: string[], at: string): void {
    const these = `sent_at IS NULL AND ${OWN} AND ${where}`;
    this.#forgetSteps(these, [...this.#mine, ...values]);
    const sql = `UPDATE outbox SET sent_at = ?, data = 'null' WHERE ${these}`;
    this.#db.run(sql, new Date(instantOf(at)).toISOString(), ...this.#mine, ...values);
  }

  /** What pipelines know of these events (`event:<pipeline>:<id>`, a line with the config): none comes again under its id. */
  #forgetSteps(where: string, values: (string | null)[]): void {
    const these = (id: string) => `SELECT ${id} FROM outbox WHERE ${where}`;
    this.#db.run(
      `DELETE FROM step WHERE incarnation >= 'event:' AND incarnation < 'event;' AND
       substr(incarnation, 7 + instr(substr(incarnation, 7), ':')) IN
       (${these("id")} UNION ${these("id || char(10) || config")} UNION ${these("id || char(10) || ?")})`,
      ...values,
      ...values,
      this.#config ?? "",
      ...values,
    );
  }

  markSent(id: string, at: string): Promise<void> {
    return this.#db.change("mark an event as sent", [], () => {
      const sent = instantOf(at);
      this.#db.run(
        `UPDATE outbox SET sent_at = ? WHERE id = ? AND sent_at IS NULL AND ${OWN}`,
        new Date(sent).toISOString(),
        id,
        ...this.#mine,
      );
      this.#db.run("DELETE FROM outbox WHERE sent_at < ?", new Date(sent - SENT_KEEP_MS).toISOString());
    });
  }
}

function toEvent({ id, event, at, data }: Row): OutboxEvent {
  return { id: id as string, event: event as string, at: at as string, data: JSON.parse(data as string) as Json };
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
      const find = (key: string) => this.#db.one("SELECT at FROM seen WHERE key = ?", key);
      // Marks from before configs were told apart have no prefix: what was told then is not told again.
      const row = find(this.#prefix + key) ?? find(key);
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
