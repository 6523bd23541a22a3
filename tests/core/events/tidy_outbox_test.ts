import assert from "node:assert/strict";
import { tidyOutbox, TOLD_APART } from "../../../core/events/tidy_outbox.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { memoryLog } from "../../../testing/doubles.ts";

const NOW = Date.UTC(2026, 5, 30);
const at = (ms: number) => new Date(NOW + ms).toISOString();

Deno.test("tidyOutbox() gives nothing up for its age, whatever the clock says (S13)", async () => {
  await using journal = await openMemoryJournal();
  const { outbox } = journal;
  for (const [id, when] of [["dead battery", new Date(0).toISOString()], ["today", at(0)], ["ahead", at(9e10)]]) {
    await outbox.enqueue({ id, event: "backup_failure", at: when, data: { message: id } });
  }
  const log = memoryLog();
  for (const now of [NOW, NOW + 400 * 86_400_000, 0, NOW]) {
    assert.equal(await tidyOutbox(outbox, { now, log }), 3);
    assert.deepEqual(
      (await outbox.pending()).map(({ data }) => (data as { message: string }).message),
      ["dead battery", "today", "ahead"],
    );
  }
  assert.deepEqual(log.lines, []);
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
  for (const scope of ["event:notify:e3", "event:mine:e3", "event:notify:other", "event:notify:e3:x"]) {
    await journal.steps.finish(scope, "tell", "a@lab.example");
  }
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), TOLD_APART + 1);
  assert.equal(await journal.steps.isFinished("event:notify:e3", "tell", "a@lab.example"), true);
  await queue(1);
  assert.equal(await tidyOutbox(outbox, { now: NOW, log }), 2);
  for (
    const [scope, kept] of [
      ["event:notify:e3", false],
      ["event:mine:e3", false],
      ["event:notify:other", true],
      ["event:notify:e3:x", true],
    ] as const
  ) assert.equal(await journal.steps.isFinished(scope, "tell", "a@lab.example"), kept, scope);
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
