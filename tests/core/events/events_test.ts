import assert from "node:assert/strict";
import { emitEvent, eventForExit, EVENTS, isEventName } from "../../../core/events/events.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";

const AT = Date.parse("2026-03-01T02:00:00Z");

Deno.test("eventForExit() names the failure of every pipeline for every code but 0", () => {
  for (const code of [1, 2, 3, 130]) {
    assert.equal(eventForExit("backup", code), "backup_failure");
    assert.equal(eventForExit("cleanup", code), "cleanup_failure");
    assert.equal(eventForExit("monitor", code), "monitor_crash");
    assert.equal(eventForExit("lsm-strip", code), "lsm-strip_failure");
  }
  assert.equal(eventForExit("backup", 0), undefined);
});

Deno.test("EVENTS are the five an installation knows", () => {
  assert.deepEqual(Object.keys(EVENTS).sort(), [
    "backup_failure",
    "cleanup_failure",
    "fusion_error",
    "monitor_crash",
    "toolkit_error",
  ]);
  for (const name of Object.keys(EVENTS)) assert.ok(isEventName(name));
});

Deno.test("emitEvent() queues with a ULID, once per key, and only when notifications are on", async () => {
  await using journal = await openMemoryJournal();
  const event = { event: "backup_failure", at: AT, data: { exit_code: 1 } };
  assert.equal(await emitEvent(journal.outbox, event, { enabled: false }), undefined);
  assert.deepEqual(await journal.outbox.pending(), []);
  const id = await emitEvent(journal.outbox, event, { enabled: true });
  assert.match(id ?? "", /^[0-9A-HJKMNP-TV-Z]{26}$/);
  for (let i = 0; i < 2; i++) await emitEvent(journal.outbox, event, { enabled: true, key: "run-1" });
  assert.deepEqual(await journal.outbox.pending(), [
    { id, event: "backup_failure", at: "2026-03-01T02:00:00.000Z", data: { exit_code: 1 } },
    { id: "backup_failure:run-1", event: "backup_failure", at: "2026-03-01T02:00:00.000Z", data: { exit_code: 1 } },
  ]);
});

Deno.test("emitEvent() refuses a name that could leave the recipients folder", async () => {
  await using journal = await openMemoryJournal();
  for (const name of ["", "../x", "a/b", "A", "a.txt"]) {
    await assert.rejects(emitEvent(journal.outbox, { event: name, at: AT, data: null }, { enabled: true }), RangeError);
  }
});
