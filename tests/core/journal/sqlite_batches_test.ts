import assert from "node:assert/strict";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";

const AT = "2026-01-02T03:04:05.678Z";

Deno.test("outbox.enqueueMany() and seen.markMany() change all or nothing, in one transaction", async () => {
  let commits = 0;
  let fails = true;
  const beforeCommit = () => {
    commits++;
    if (fails) throw new TypeError("the disk is gone");
  };
  await using journal = await openMemoryJournal({ hooks: { beforeCommit } });
  const events = ["b", "a", "b"].map((id) => ({ id, event: "fusion_error", at: AT, data: { id } }));
  const keys = ["k", "l"].map((key) => ({ key, keepMs: 1000 }));
  const stamp = Date.parse(AT);
  await assert.rejects(journal.outbox.enqueueMany(events), /the disk is gone/);
  await assert.rejects(journal.seen.markMany(keys, stamp), /the disk is gone/);
  assert.deepEqual([await journal.outbox.pending(), await journal.seen.get("k")], [[], undefined]);
  fails = false;
  commits = 0;
  await journal.outbox.enqueueMany(events);
  await journal.seen.markMany(keys, stamp);
  assert.equal(commits, 2);
  assert.deepEqual((await journal.outbox.pending()).map(({ id }) => id), ["b", "a"]);
  assert.deepEqual([await journal.seen.get("k"), await journal.seen.get("l")], [stamp, stamp]);
});
