/**
 * Evidence in SQLite. One row a file; what SQL asks about has its own column, the rest travels as JSON.
 * @module
 */
import type { Evidence, EvidenceTotals } from "../evidence.ts";
import type { EvidenceStore } from "./journal.ts";
import type { Database, Row } from "./_database.ts";
import { type Base, COLUMNS, type EvidenceRow, fromRow, GUARANTEES, LEVELS, toRow } from "./_evidence_row.ts";

const FIRST_STRONG = GUARANTEES.indexOf("server-checksum");
/** How many bases are remembered at once. */
const BASES = 1_000;
/** Rows a page of `list`, and rows forgotten in one transaction. */
const PAGE = 1_000;
const REMOVE_PAGE = 20_000;

const INSERT = `INSERT INTO evidence (scope, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (scope, path) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256, level = excluded.level,
  guarantee = excluded.guarantee, at = excluded.at, base = excluded.base, rest = excluded.rest`;
/** Names travel as one JSON text: a call for each costs more than the look-up. */
const GET_MANY = `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path IN (SELECT value FROM json_each(?))`;
const GET = `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path = ?`;
const LIST = `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path > ? ORDER BY path LIMIT ${PAGE}`;
const LIST_LEVEL =
  `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path > ? AND level = ? ORDER BY path LIMIT ${PAGE}`;

export class SqliteEvidenceStore implements EvidenceStore {
  readonly #db: Database;
  readonly #bases = new Map<string, number>();
  readonly #parsed = new Map<number, Base>();
  constructor(db: Database) {
    this.#db = db;
  }

  readonly #intern = (text: string): number => {
    let id = this.#bases.get(text);
    if (id === undefined) {
      this.#db.run("INSERT INTO base (text) VALUES (?) ON CONFLICT DO NOTHING", text);
      id = this.#db.one("SELECT id FROM base WHERE text = ?", text)?.id as number;
      if (this.#bases.size >= BASES) this.#bases.clear();
      this.#bases.set(text, id);
    }
    return id;
  };

  readonly #baseOf = (id: number): Base => {
    let base = this.#parsed.get(id);
    if (base === undefined) {
      base = JSON.parse(this.#db.one("SELECT text FROM base WHERE id = ?", id)?.text as string) as Base;
      if (this.#parsed.size >= BASES) this.#parsed.clear();
      this.#parsed.set(id, base);
    }
    return base;
  };

  put(incarnation: string, evidence: readonly Evidence[]): Promise<void> {
    const db = this.#db;
    const written = db.change("write evidence", evidence.map((one) => one.at), () => {
      const scopes = new Map<string, number>();
      for (const one of evidence) {
        let scope = scopes.get(one.place);
        if (scope === undefined) scopes.set(one.place, scope = this.#makeScope(incarnation, one.place));
        const row: EvidenceRow = toRow(one, this.#intern);
        db.run(INSERT, scope, ...row);
      }
    });
    // Numbers given in a transaction that was rolled back name nothing.
    return written.catch((error) => {
      this.#bases.clear();
      this.#parsed.clear();
      throw error;
    });
  }

  get(incarnation: string, place: string, path: string): Promise<Evidence | undefined> {
    return this.#db.ask("read evidence", () => {
      const scope = this.#scope(incarnation, place);
      const row = scope === undefined ? undefined : this.#db.one(GET, scope, path);
      return row && fromRow(place, row, this.#baseOf);
    });
  }

  getMany(incarnation: string, place: string, paths: readonly string[]): Promise<Map<string, Evidence>> {
    return this.#db.ask("read evidence", () => {
      const found = new Map<string, Evidence>();
      const scope = this.#scope(incarnation, place);
      if (scope === undefined) return found;
      for (const row of this.#db.all(GET_MANY, scope, JSON.stringify(paths))) {
        found.set(row.path as string, fromRow(place, row, this.#baseOf));
      }
      return found;
    });
  }

  async *list(
    incarnation: string,
    place: string,
    options: { level?: Evidence["level"] } = {},
  ): AsyncIterable<Evidence> {
    // By key, not by offset: a page costs the same wherever it is, and rows changed meanwhile neither repeat nor hide others.
    const level = options.level === undefined ? [] : [LEVELS.indexOf(options.level)];
    const sql = options.level === undefined ? LIST : LIST_LEVEL;
    for (let after = "";;) {
      const rows = await this.#db.ask("read evidence", () => {
        const scope = this.#scope(incarnation, place);
        return scope === undefined ? [] : this.#db.all(sql, scope, after, ...level);
      });
      for (const row of rows) yield fromRow(place, row, this.#baseOf);
      if (rows.length < PAGE) return;
      after = rows[rows.length - 1].path as string;
    }
  }

  totals(incarnation: string, place: string): Promise<EvidenceTotals> {
    return this.#db.ask("sum evidence", () => {
      const scope = this.#scope(incarnation, place) ?? -1;
      const row = this.#db.one(
        `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes, min(guarantee) AS weakest, max(at) AS latest,
         coalesce(sum(level = 1 AND guarantee >= ${FIRST_STRONG}), 0) AS strong FROM evidence WHERE scope = ?`,
        scope,
      ) as Row;
      return {
        files: row.files as number,
        bytes: row.bytes as number,
        strong: row.strong as number,
        weakest: row.weakest === null ? null : GUARANTEES[row.weakest as number],
        latestAt: row.latest === null ? null : new Date(row.latest as number).toISOString(),
      };
    });
  }

  places(incarnation: string): Promise<string[]> {
    return this.#db.ask("read evidence", () =>
      this.#db.all(
        `SELECT place FROM scope WHERE incarnation = ? AND EXISTS (SELECT 1 FROM evidence WHERE scope = scope.id)
         ORDER BY place`,
        incarnation,
      ).map((row) => row.place as string));
  }

  async remove(incarnation: string, place?: string, paths?: readonly string[]): Promise<void> {
    const scopes = await this.#db.ask(
      "forget evidence",
      () =>
        place === undefined
          ? this.#db.all("SELECT id FROM scope WHERE incarnation = ?", incarnation).map((row) => row.id as number)
          : [this.#scope(incarnation, place)].filter((id) => id !== undefined),
    );
    for (const scope of scopes) {
      if (paths !== undefined) {
        await this.#db.change("forget evidence", [], () => {
          for (const path of paths) this.#db.run("DELETE FROM evidence WHERE scope = ? AND path = ?", scope, path);
        });
        continue;
      }
      // In pages: a million rows in one transaction would stop every heartbeat of this process for seconds.
      for (let removed = REMOVE_PAGE; removed === REMOVE_PAGE;) {
        removed = await this.#db.change("forget evidence", [], () =>
          this.#db.run(
            `DELETE FROM evidence WHERE scope = ?1 AND path IN
             (SELECT path FROM evidence WHERE scope = ?1 ORDER BY path LIMIT ${REMOVE_PAGE})`,
            scope,
          ));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  #scope(incarnation: string, place: string): number | undefined {
    return this.#db.one("SELECT id FROM scope WHERE incarnation = ? AND place = ?", incarnation, place)
      ?.id as number | undefined;
  }

  #makeScope(incarnation: string, place: string): number {
    this.#db.run("INSERT INTO scope (incarnation, place) VALUES (?, ?) ON CONFLICT DO NOTHING", incarnation, place);
    return this.#scope(incarnation, place) as number;
  }
}
