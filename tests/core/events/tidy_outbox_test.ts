import assert from "node:assert/strict";
import { KEEP_MS, tidyOutbox, TOLD_APART } from "../../../core/events/tidy_outbox.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { memoryLog } from "../../../testing/doubles.ts";

const NOW = Date.UTC(2026, 5, 30);
const at = (ms: number) => new Date(NOW + ms).toISOString();

Deno.test("tidyOutbox() gives up what is too old, with a word, and leaves the rest", async () => {
  await using journal = await openMemoryJournal();
  const { outbox } = journal;
  for (const [id, ms] of [["old", -KEEP_MS - 1], ["young", -KEEP_MS], ["ahead", 1000]] as const) {
    await outbox.enqueue({ id, event: "fusion_error", at: at(ms), data: { message: id } });
  }
  const log = memoryLog();
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), 2);
  assert.deepEqual((await outbox.pending()).map(({ id }) => id), ["young", "ahead"]);
  assert.deepEqual(log.lines.map(({ level, message }) => [level, message]), [
    ["warn", "Gave up telling of 1 fusion_error events: they were queued over 30 days ago"],
  ]);
  await outbox.enqueue({ id: "old", event: "fusion_error", at: at(0), data: "again" });
  assert.equal((await outbox.pending()).length, 2, "what was given up is not queued again");
});

Deno.test("tidyOutbox() puts one event in the place of very many of a name, however often", async () => {
  await using journal = await openMemoryJournal();
  const { outbox } = journal;
  let queued = 0;
  const queue = async (count: number) => {
    const events = Array.from({ length: count }, () => ({
      id: `e${queued}`,
      event: "fusion_error",
      at: at(queued * 1000),
      data: { message: `Pump ${queued++}`, host: "instrument-1" },
    }));
    await outbox.enqueueMany(events);
  };
  await queue(TOLD_APART);
  await outbox.enqueue({ id: "other", event: "backup_failure", at: at(0), data: null });
  const log = memoryLog();
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), TOLD_APART + 1);
  await queue(1);
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), 2);
  const [, one] = await outbox.pending();
  assert.deepEqual([one.event, one.at], ["fusion_error", at(TOLD_APART * 1000)]);
  const data = one.data as { message: string; started_at: string; items: { name: string; message: string }[] };
  assert.match(data.message, /^201 events of this kind/);
  assert.equal(data.started_at, at(0));
  assert.equal(data.items.length, 20);
  assert.deepEqual(data.items[1], { name: at(1000), message: "Pump 1" });
  await queue(250);
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), 2);
  const again = (await outbox.pending({ event: "fusion_error" }))[0].data as typeof data;
  assert.match(again.message, /^451 events of this kind/);
  assert.equal(again.started_at, at(0));
  assert.deepEqual(again.items[1], { name: at(1000), message: "Pump 1" });
});
