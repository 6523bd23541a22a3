/**
 * The journal's schema and its migrations. A migration is never edited once released; a change is a new entry.
 * @module
 */

/** Marks the file as ours, so that a foreign database is refused instead of extended ("LbFy"). */
export const APPLICATION_ID = 0x4c624679;

// Evidence hangs on a scope (incarnation and place), so that a row repeats a small number and not two long keys.
// Paths compare by bytes: BINARY on UTF-8, which is the order of the sidecar and of the listings.
const FIRST = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('latest_instant', 0);
CREATE TABLE scope (
  id INTEGER PRIMARY KEY, incarnation TEXT NOT NULL, place TEXT NOT NULL, UNIQUE (incarnation, place)) STRICT;
CREATE TABLE base (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE evidence (
  scope INTEGER NOT NULL, path TEXT NOT NULL COLLATE BINARY, size INTEGER NOT NULL, sha256 BLOB NOT NULL,
  level INTEGER NOT NULL, guarantee INTEGER NOT NULL, at INTEGER NOT NULL, base INTEGER NOT NULL, rest TEXT NOT NULL,
  PRIMARY KEY (scope, path)) STRICT, WITHOUT ROWID;
CREATE TABLE step (
  incarnation TEXT NOT NULL, stage TEXT NOT NULL, step TEXT NOT NULL, finished INTEGER NOT NULL, checkpoint TEXT,
  PRIMARY KEY (incarnation, stage, step)) STRICT, WITHOUT ROWID;
CREATE TABLE intent (
  incarnation TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL, opened_at TEXT NOT NULL,
  PRIMARY KEY (incarnation, place)) STRICT, WITHOUT ROWID;
CREATE TABLE upload (
  store TEXT NOT NULL, key TEXT NOT NULL, upload_id TEXT NOT NULL, part_size INTEGER NOT NULL,
  incarnation TEXT NOT NULL, started_at TEXT NOT NULL, PRIMARY KEY (store, key)) STRICT, WITHOUT ROWID;
CREATE TABLE probe (
  store TEXT NOT NULL, operation TEXT NOT NULL, holds INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (store, operation)) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL,
  sent_at TEXT) STRICT;
CREATE INDEX outbox_pending ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE TABLE cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE claim (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, since REAL NOT NULL, ms REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, exit_code INTEGER)
  STRICT, WITHOUT ROWID;
CREATE INDEX run_started ON run (started_at);
CREATE TABLE member (
  name TEXT NOT NULL, item TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (name, item)) STRICT, WITHOUT ROWID;
`;

// Without it an upload begun by an earlier version is begun anew: what it says of its object is not known.
const UPLOAD_METADATA = `
ALTER TABLE upload ADD COLUMN sha256 TEXT;
ALTER TABLE upload ADD COLUMN mtime TEXT;
`;

// When a run last went on with it; absent, nobody did since it began.
const UPLOAD_USE = "ALTER TABLE upload ADD COLUMN used_at TEXT;";

const SEEN = `
CREATE TABLE seen (key TEXT PRIMARY KEY, at INTEGER NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until);
`;

// Counting what waits must not read what each event says.
const OUTBOX_WAITING = "CREATE INDEX outbox_waiting ON outbox (event, at) WHERE sent_at IS NULL;";

// Several configs may share a state folder: each tells of its own events. Of those queued before, "", any does; and of
// those that an older process queues which was at work while the journal was migrated.
const OUTBOX_OF_CONFIG = `
CREATE TABLE outbox_of_config (
  seq INTEGER PRIMARY KEY, config TEXT NOT NULL DEFAULT '', id TEXT NOT NULL, event TEXT NOT NULL,
  at TEXT NOT NULL, data TEXT NOT NULL, sent_at TEXT, UNIQUE (config, id)) STRICT;
INSERT INTO outbox_of_config SELECT seq, '', id, event, at, data, sent_at FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_of_config RENAME TO outbox;
CREATE INDEX outbox_pending ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (event, at) WHERE sent_at IS NULL;
`;

/** Migrations in order; entry `n` takes the schema from version `n` to `n + 1`. */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  UPLOAD_METADATA,
  UPLOAD_USE,
  SEEN,
  OUTBOX_WAITING,
  OUTBOX_OF_CONFIG,
];
