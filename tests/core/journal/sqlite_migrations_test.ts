import assert from "node:assert/strict";
import { join } from "@std/path";
import { APPLICATION_ID, MIGRATIONS } from "../../../core/journal/_schema.ts";
import { openJournal } from "../../../core/journal/sqlite.ts";
import { tempDir } from "../../kit/temp.ts";

const AT = "2026-01-02T03:04:05.678Z";

Deno.test("events that were queued before configs were told apart are told by any", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const { DatabaseSync } = await import("node:sqlite");
  {
    const old = new DatabaseSync(path);
    for (const migration of MIGRATIONS.slice(0, 4)) old.exec(migration);
    old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 4`);
    const insert = old.prepare("INSERT INTO outbox (id, event, at, data, sent_at) VALUES (?, ?, ?, ?, ?)");
    insert.run("waits", "e", AT, "{}", null);
    insert.run("sent", "e", AT, "{}", AT);
    old.close();
  }
  for (const config of ["/a/config.toml", "/b/config.toml"]) {
    await using journal = await openJournal(path, { config });
    assert.deepEqual((await journal.outbox.pending()).map(({ id }) => id), ["waits"]);
  }
  {
    await using journal = await openJournal(path, { config: "/a/config.toml" });
    await journal.outbox.markSent("waits", AT);
  }
  await using journal = await openJournal(path);
  assert.deepEqual(await journal.outbox.pending(), []);
});

Deno.test("marks from before configs were told apart hold for any, until one has its own", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  {
    await using old = await openJournal(path);
    await old.seen.mark("monitor:k", 1000, 60_000);
  }
  await using a = await openJournal(path, { config: "/a/config.toml" });
  await using b = await openJournal(path, { config: "/b/config.toml" });
  assert.deepEqual([await a.seen.get("monitor:k"), await b.seen.get("monitor:k")], [1000, 1000]);
  await a.seen.mark("monitor:k", 2000, 60_000);
  assert.deepEqual([await a.seen.get("monitor:k"), await b.seen.get("monitor:k")], [2000, 1000]);
  assert.equal(await a.seen.get("monitor:other"), undefined);
});

Deno.test("an older process that is at work while the journal is migrated can still queue", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const { DatabaseSync } = await import("node:sqlite");
  const old = new DatabaseSync(path);
  try {
    old.exec("PRAGMA journal_mode = WAL");
    for (const migration of MIGRATIONS.slice(0, 5)) old.exec(migration);
    old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 5`);
    const insert = old.prepare("INSERT INTO outbox (id, event, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.run("before", "e", AT, "{}");
    await using journal = await openJournal(path, { config: "/a/config.toml" });
    insert.run("after", "e", AT, "{}");
    insert.run("after", "e", AT, "{}");
    assert.deepEqual((await journal.outbox.pending()).map(({ id }) => id), ["before", "after"]);
  } finally {
    old.close();
  }
});

Deno.test("openJournal() opens a journal of the first version and keeps its uploads", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const { DatabaseSync } = await import("node:sqlite");
  {
    const old = new DatabaseSync(path);
    old.exec(MIGRATIONS[0]);
    old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
    old.prepare("INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?)").run("e/b", "k", "u", 8, "inc", AT);
    old.close();
  }
  const bare = { store: "e/b", key: "k", uploadId: "u", partSize: 8, incarnation: "inc", startedAt: AT };
  const known = { ...bare, sha256: "ab".repeat(32), mtime: AT, usedAt: AT };
  {
    await using journal = await openJournal(path);
    assert.deepEqual(await journal.uploads.list("e/b"), [{ ...bare, sha256: null, mtime: null, usedAt: AT }]);
    await journal.uploads.put(known);
  }
  await using journal = await openJournal(path);
  assert.deepEqual(await journal.uploads.get("e/b", "k"), known);
});
