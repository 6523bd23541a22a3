import assert from "node:assert/strict";
import { formatLockHolder, judgeLock, parseLockHolder } from "../../../core/safety/lock_judgement.ts";

const HOLDER = { host: "scope-1", pid: 42, started_at: "2026-03-01T02:00:00.000Z", run_name: "backup" };
const SELF = { host: "scope-1", pid: 7 };

Deno.test("S10 judgeLock() lets the OS lock decide before anything the text says", () => {
  for (const text of ["", formatLockHolder(HOLDER), "noise", formatLockHolder({ ...HOLDER, host: "x" })]) {
    assert.equal(judgeLock({ osLock: false, text, life: { alive: false } }, SELF).state, "held");
  }
});

Deno.test("S10 judgeLock() needs to know of the process before it calls a holder dead", () => {
  const text = formatLockHolder(HOLDER);
  assert.equal(judgeLock({ osLock: true, text }, SELF).state, "unprovable");
  assert.equal(judgeLock({ osLock: true, text, life: { alive: false } }, SELF).state, "dead");
  assert.equal(judgeLock({ osLock: true, text, life: { alive: true } }, SELF).state, "unprovable");
  const start = Date.parse(HOLDER.started_at);
  for (
    const [startedAtMs, state] of [[start - 1, "unprovable"], [start + 5000, "unprovable"], [start + 5001, "dead"]]
  ) {
    const life = { alive: true, startedAtMs: startedAtMs as number };
    assert.equal(judgeLock({ osLock: true, text, life }, SELF).state, state);
  }
});

Deno.test("parseLockHolder() reads what formatLockHolder() wrote and nothing less", () => {
  assert.deepEqual(parseLockHolder(formatLockHolder(HOLDER)), HOLDER);
  for (const text of ["", "null", "3", "[]", "{}", '{"host":"a"}', '{"host":"","pid":1}', '{"host":"a","pid":"1"}']) {
    assert.equal(parseLockHolder(text), undefined);
  }
});

Deno.test("S10 judgeLock() proves no holder dead while a program it started is at work", () => {
  const text = formatLockHolder(HOLDER);
  const life = { alive: true, child: { pid: 4242, program: "/etc/mount.sh" } };
  for (const self of [SELF, { ...SELF, pid: HOLDER.pid }]) {
    const { state, why, isChild } = judgeLock({ osLock: true, text, life }, self);
    assert.deepEqual([state, isChild], ["unprovable", true]);
    assert.match(why, /has ended, but "\/etc\/mount\.sh", which it started, is at work as process 4242/);
  }
});
