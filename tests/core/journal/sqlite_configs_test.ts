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

Deno.test("configs that share a journal know their own steps of an event alone, and those from before there were any", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await using all = await openJournal(path);
  await using a = await openJournal(path, { config: "/a/config.toml" });
  await using b = await openJournal(path, { config: "/b/config.toml" });
  const scope = "event:notify:same";
  await a.steps.finish(scope, "notify", "email ops@lab.example");
  await a.steps.checkpoint(scope, "notify", "email head@lab.example", { count: 4 });
  const known = async ({ steps }: typeof a) => [
    await steps.isFinished(scope, "notify", "email ops@lab.example"),
    await steps.readCheckpoint(scope, "notify", "email head@lab.example"),
  ];
  assert.deepEqual(await known(b), [false, undefined]);
  await b.steps.remove(scope);
  assert.deepEqual(await known(a), [true, { count: 4 }]);
  await a.steps.remove(scope);
  assert.deepEqual(await known(a), [false, undefined]);
  await all.steps.finish(scope, "notify", "email ops@lab.example");
  assert.deepEqual(await known(b), [true, undefined]);
  await b.steps.remove(scope);
  assert.deepEqual(await known(all), [false, undefined]);
  // A folder has one incarnation, whichever config names it.
  await a.steps.finish("folder", "copy", "a.txt");
  assert.equal(await b.steps.isFinished("folder", "copy", "a.txt"), true);
});

Deno.test("outbox.condense() forgets the steps of what it stands for, of its own config alone", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await using a = await openJournal(path, { config: "/a/config.toml" });
  await using b = await openJournal(path, { config: "/b/config.toml" });
  for (const { outbox, steps } of [a, b]) {
    await outbox.enqueueMany(["1", "2"].map((id) => ({ id, event: "e", at: AT, data: null })));
    await steps.finish("event:notify:1", "notify", "email ops@lab.example");
  }
  const by = () => ({ id: "one", event: "e", at: AT, data: null });
  await a.outbox.condense("e", { over: 1, first: 1, at: AT, by });
  const isKnown = ({ steps }: typeof a) => steps.isFinished("event:notify:1", "notify", "email ops@lab.example");
  assert.deepEqual([await isKnown(a), await isKnown(b)], [false, true]);
});
