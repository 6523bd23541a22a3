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
