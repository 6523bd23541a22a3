import assert from "node:assert/strict";
import { join } from "@std/path";
import { openJournal } from "../../../core/journal/sqlite.ts";
import { tempDir } from "../../kit/temp.ts";

const AT = "2026-01-02T03:04:05.678Z";

Deno.test("configs that share a journal tell of their own events, and know their own marks alone", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await using a = await openJournal(path, { config: "/a/config.toml" });
  await using b = await openJournal(path, { config: "/b/config.toml" });
  await a.outbox.enqueue({ id: "same", event: "e", at: AT, data: "of a" });
  await b.outbox.enqueue({ id: "same", event: "e", at: AT, data: "of b" });
  assert.deepEqual((await a.outbox.pending()).map(({ data }) => data), ["of a"]);
  await a.outbox.markSent("same", AT);
  assert.deepEqual(await a.outbox.pending(), []);
  assert.deepEqual((await b.outbox.pending()).map(({ data }) => data), ["of b"]);
  await a.seen.mark("k", 1000, 60_000);
  assert.deepEqual([await a.seen.get("k"), await b.seen.get("k")], [1000, undefined]);
  await using all = await openJournal(path);
  assert.deepEqual((await all.outbox.pending()).map(({ data }) => data), ["of b"]);
});
