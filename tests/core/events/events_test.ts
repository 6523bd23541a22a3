import assert from "node:assert/strict";
import { eventForExit, EVENTS, isEventName, toOutboxEvent } from "../../../core/events/events.ts";
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

Deno.test("toOutboxEvent() gives a ULID, or an id by a key, which the outbox takes once", async () => {
  await using journal = await openMemoryJournal();
  const event = { event: "backup_failure", at: AT, data: { exit_code: 1 } };
  const one = toOutboxEvent(event);
  assert.match(one.id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.notEqual(toOutboxEvent(event).id, one.id);
  await journal.outbox.enqueue(one);
  for (let i = 0; i < 2; i++) await journal.outbox.enqueue(toOutboxEvent(event, "run-1"));
  const queued = { event: "backup_failure", at: "2026-03-01T02:00:00.000Z", data: { exit_code: 1 } };
  assert.deepEqual(await journal.outbox.pending(), [
    { id: one.id, ...queued },
    { id: "backup_failure:run-1", ...queued },
  ]);
});

Deno.test("toOutboxEvent() refuses a name that could leave the recipients folder", () => {
  for (const name of ["", "../x", "a/b", "A", "a.txt"]) {
    assert.throws(() => toOutboxEvent({ event: name, at: AT, data: null }), RangeError);
  }
});
