/**
 * Evidence in SQLite. One row a file; what SQL asks about has its own column, the rest travels as JSON.
 * @module
 */
import type { Evidence, EvidenceTotals, Guarantee } from "../evidence.ts";
import type { EvidenceStore } from "./journal.ts";
import { type Database, instantOf, type Row } from "./_database.ts";

/** Weakest first; the position is what is stored, so that SQL finds the weakest with `min`. */
const GUARANTEES: readonly Guarantee[] = ["none", "cached-read", "signed-payload", "server-checksum", "read-back"];
const FIRST_STRONG = GUARANTEES.indexOf("server-checksum");
const LEVELS: readonly Evidence["level"][] = ["written", "proved"];
/** Rows a page of `list`, and rows forgotten in one transaction. */
const PAGE = 1_000;
const REMOVE_PAGE = 20_000;

const COLUMNS = "path, size, sha256, level, guarantee, at, rest";
const INSERT = `INSERT INTO evidence (scope, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (scope, path) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256, level = excluded.level,
  guarantee = excluded.guarantee, at = excluded.at, rest = excluded.rest`;
const GET = `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path = ?`;
const LIST = `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path > ? ORDER BY path LIMIT ${PAGE}`;
const LIST_LEVEL =
  `SELECT ${COLUMNS} FROM evidence WHERE scope = ? AND path > ? AND level = ? ORDER BY path LIMIT ${PAGE}`;

export class SqliteEvidenceStore implements EvidenceStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  put(incarnation: string, evidence: readonly Evidence[]): Promise<void> {
    const db = this.#db;
    const rows = () => evidence.map((one) => ({ place: one.place, values: toRow(one) }));
    return db.ask("write evidence", rows).then((ready) =>
      db.change("write evidence", evidence.map((one) => one.at), () => {
        const scopes = new Map<string, number>();
        for (const { place, values } of ready) {
          let scope = scopes.get(place);
          if (scope === undefined) scopes.set(place, scope = this.#makeScope(incarnation, place));
          db.run(INSERT, scope, ...values);
        }
      })
    );
  }

  get(incarnation: string, place: string, path: string): Promise<Evidence | undefined> {
    return this.#db.ask("read evidence", () => {
      const scope = this.#scope(incarnation, place);
      const row = scope === undefined ? undefined : this.#db.one(GET, scope, path);
      return row && fromRow(place, row);
    });
  }

  getMany(incarnation: string, place: string, paths: readonly string[]): Promise<Map<string, Evidence>> {
    return this.#db.ask("read evidence", () => {
      const found = new Map<string, Evidence>();
      const scope = this.#scope(incarnation, place);
      if (scope === undefined) return found;
      for (const path of paths) {
        const row = this.#db.one(GET, scope, path);
        if (row !== undefined) found.set(path, fromRow(place, row));
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
      for (const row of rows) yield fromRow(place, row);
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
        latestAt: row.latest as string | null,
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

type EvidenceRow = [string, number, Uint8Array, number, number, string, string];

/** @throws {TypeError} for evidence that cannot be kept faithfully; two names must never become one row. */
function toRow(evidence: Evidence): EvidenceRow {
  const { path, size, sha256, place, level, guarantee, at, ...rest } = evidence;
  const refuse = (what: string) => new TypeError(`evidence of "${path}" at "${place}": ${what}`);
  if (path === "" || !path.isWellFormed() || path.includes("\0")) throw refuse("the path is not valid text");
  if (!Number.isSafeInteger(size) || size < 0) throw refuse(`the size is ${size}`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw refuse(`the hash is "${sha256}"`);
  if (!LEVELS.includes(level) || !GUARANTEES.includes(guarantee)) throw refuse(`the level is "${level}/${guarantee}"`);
  return [
    path,
    size,
    Uint8Array.fromHex(sha256),
    LEVELS.indexOf(level),
    GUARANTEES.indexOf(guarantee),
    new Date(instantOf(at)).toISOString(),
    JSON.stringify(rest),
  ];
}

function fromRow(place: string, row: Row): Evidence {
  return {
    path: row.path as string,
    size: row.size as number,
    sha256: (row.sha256 as Uint8Array).toHex(),
    place,
    level: LEVELS[row.level as number],
    guarantee: GUARANTEES[row.guarantee as number],
    at: row.at as string,
    ...JSON.parse(row.rest as string),
  };
}
