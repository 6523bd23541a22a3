import assert from "node:assert/strict";
import { ObjectStoreError, type StoreErrorKind } from "../../../core/objects/object_store.ts";
import { pauseBefore, retrying } from "../../../core/objects/retry.ts";
import { instantClock, memoryLog } from "../../../testing/doubles.ts";

const POLICY = { attempts: 5, firstMs: 100, maxMs: 1000, random: () => 0 };

function setUp(kinds: StoreErrorKind[]) {
  const clock = instantClock();
  const failures = kinds.map((kind) => new ObjectStoreError(kind, `${kind} of the store`));
  const act = () => failures.length > 0 ? Promise.reject(failures.shift()) : Promise.resolve("done");
  const options = { clock, signal: new AbortController().signal, log: memoryLog(), policy: POLICY, doing: "try" };
  return { clock, act, options };
}

Deno.test("retrying() tries again with growing pauses until it succeeds", async () => {
  const { clock, act, options } = setUp(["throttled", "unreachable", "throttled"]);
  assert.equal(await retrying(act, options), "done");
  assert.deepEqual(clock.slept, [50, 100, 200]);
});

Deno.test("retrying() gives up after its attempts and says how often it tried", async () => {
  const { act, options } = setUp(Array(9).fill("unreachable"));
  await assert.rejects(retrying(act, options), (error) => {
    assert.ok(error instanceof ObjectStoreError);
    assert.equal(error.kind, "unreachable");
    assert.match(error.message, /unreachable of the store \(tried 5 times in 1 s\)/);
    return true;
  });
});

Deno.test("retrying() does not repeat what will not pass by itself", async () => {
  for (const kind of ["denied", "no-bucket", "precondition", "clock-skew", "bad-request"] as const) {
    const { clock, act, options } = setUp([kind]);
    await assert.rejects(retrying(act, options), { kind });
    assert.deepEqual(clock.slept, []);
  }
});

Deno.test("retrying() sends damaged bytes three times, no more", async () => {
  const twice = setUp(["bad-digest", "bad-digest"]);
  assert.equal(await retrying(twice.act, twice.options), "done");
  const thrice = setUp(["bad-digest", "bad-digest", "bad-digest"]);
  await assert.rejects(retrying(thrice.act, thrice.options), { kind: "bad-digest" });
});

Deno.test("retrying() ends with the signal's reason, also during a pause", async () => {
  const { act, options } = setUp(Array(9).fill("throttled"));
  const stop = new AbortController();
  const clock = instantClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    if (clock.slept.length === 1) stop.abort(new Error("stopped by the operator"));
    return sleep(ms, signal);
  };
  await assert.rejects(retrying(act, { ...options, clock, signal: stop.signal }), /stopped by the operator/);
});

Deno.test("retrying() passes errors of the program on at once", async () => {
  const { clock, options } = setUp([]);
  await assert.rejects(retrying(() => Promise.reject(new TypeError("a bug")), options), TypeError);
  assert.deepEqual(clock.slept, []);
});

Deno.test("pauseBefore() stays within half and whole of the doubled pause", () => {
  const at = (random: number) => [1, 2, 3, 9].map((n) => pauseBefore(n, { ...POLICY, random: () => random }));
  assert.deepEqual(at(0), [50, 100, 200, 500]);
  assert.deepEqual(at(1), [100, 200, 400, 1000]);
});

Deno.test("retrying() makes no further attempt once the run is asked to stop, and asks that store for nothing more", async () => {
  const { clock, act, options } = setUp(Array(9).fill("unreachable"));
  const stop = new AbortController();
  const patience = { stop: stop.signal, isOver: false };
  let attempts = 0;
  const asked = () => {
    if (++attempts === 2) stop.abort(new Error("Ctrl+C"));
    return act();
  };
  await assert.rejects(retrying(asked, { ...options, patience }), {
    name: "ObjectStoreError",
    kind: "stopped",
    message: "unreachable of the store",
  });
  assert.deepEqual([attempts, clock.slept], [2, [50]]);
  await assert.rejects(retrying(asked, { ...options, patience }), { kind: "stopped" });
  assert.equal(attempts, 2);
});

Deno.test("retrying() ends a pause when the run is asked to stop, and lets a store that answers finish", async () => {
  const { clock, act, options } = setUp(["throttled"]);
  const stop = new AbortController();
  const patience = { stop: stop.signal, isOver: false };
  clock.sleep = (_ms, signal) => {
    stop.abort(new Error("Ctrl+C"));
    return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  };
  await assert.rejects(retrying(act, { ...options, patience }), { kind: "stopped" });
  const answered = { stop: AbortSignal.abort(), isOver: false };
  assert.equal(await retrying(() => Promise.resolve("done"), { ...options, patience: answered }), "done");
  const other = setUp(["denied"]);
  await assert.rejects(retrying(other.act, { ...other.options, patience: answered }), { kind: "denied" });
});
