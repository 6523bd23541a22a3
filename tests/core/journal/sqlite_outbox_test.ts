import assert from "node:assert/strict";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";

const AT = "2026-01-02T03:04:05.678Z";

Deno.test("outbox.pending() keeps the order of queueing until each is sent", async () => {
  await using journal = await openMemoryJournal();
  for (const id of ["c", "a", "b"]) await journal.outbox.enqueue({ id, event: "backup_failure", at: AT, data: { id } });
  await journal.outbox.enqueue({ id: "a", event: "backup_failure", at: AT, data: "twice" });
  assert.deepEqual((await journal.outbox.pending()).map((event) => event.id), ["c", "a", "b"]);
  await journal.outbox.markSent("a", AT);
  assert.deepEqual((await journal.outbox.pending()).map((event) => event.id), ["c", "b"]);
});

Deno.test("outbox.pending() comes in pages, and of one name", async () => {
  await using journal = await openMemoryJournal();
  const { outbox } = journal;
  assert.equal(await outbox.hasPending(), false);
  await outbox.enqueueMany(["a", "b", "c", "d"].map((id) => ({ id, event: id < "c" ? "x" : "y", at: AT, data: null })));
  const ids = async (options: Parameters<typeof outbox.pending>[0]) =>
    (await outbox.pending(options)).map(({ id }) => id);
  assert.deepEqual(await ids({ limit: 2 }), ["a", "b"]);
  await outbox.markSent("b", AT);
  assert.deepEqual(await ids({ after: "b", limit: 2 }), ["c", "d"], "one that was sent meanwhile still has its place");
  assert.deepEqual(await ids({ after: "gone" }), []);
  assert.deepEqual(await ids({ event: "y", after: "c" }), ["d"]);
  assert.deepEqual(await outbox.waiting(), new Map([["x", 1], ["y", 2]]));
  assert.equal(await outbox.hasPending(), true);
});

Deno.test("outbox.putMany() says anew what waits, and queues nothing again that was sent", async () => {
  await using journal = await openMemoryJournal();
  const { outbox } = journal;
  const events = (data: string) => ["a", "b"].map((id) => ({ id, event: "e", at: AT, data }));
  await outbox.putMany(events("once"));
  await outbox.markSent("a", AT);
  await outbox.putMany(events("twice"));
  assert.deepEqual((await outbox.pending()).map(({ id, data }) => [id, data]), [["b", "twice"]]);
});
