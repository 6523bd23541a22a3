import assert from "node:assert/strict";
import { isInterruption } from "../../cli/interruption.ts";
import { ENDLESS_MS, NOW_MS, openInterrupts } from "../../cli/interrupts.ts";
import type { InterruptOptions } from "../../cli/terminal.ts";

/** Interrupts whose signals and timers are the test's. */
function made({ endless = false, last }: InterruptOptions = {}) {
  let onSignal: (() => void) | undefined;
  const timers = new Map<number, () => void>();
  const exits: number[] = [];
  const lasts: unknown[] = [];
  const broken = new AbortController();
  let said = "";
  const interrupts = openInterrupts({
    broken: broken.signal,
    listen(given) {
      onSignal = given;
      return { [Symbol.dispose]: () => onSignal = undefined };
    },
    after(ms, act) {
      timers.set(ms, act);
      return { [Symbol.dispose]: () => void timers.delete(ms) };
    },
    err: (text) => said += text,
    exit(code, last) {
      exits.push(code);
      lasts.push(last);
    },
  }, { endless, last });
  return { interrupts, broken, timers, exits, lasts, signal: () => onSignal?.(), said: () => said };
}

Deno.test("openInterrupts() asks at the first, breaks off at the second, and ends the process 5 s behind it or at the third", () => {
  const last = () => Promise.resolve();
  for (const third of [false, true]) {
    const { interrupts, timers, exits, lasts, signal, said } = made({ last });
    signal();
    assert.deepEqual([interrupts.stop.aborted, interrupts.abort.aborted, timers.size], [true, false, 0]);
    signal();
    assert.ok(isInterruption(interrupts.abort.reason));
    assert.deepEqual([...timers.keys()], [NOW_MS]);
    assert.deepEqual(exits, []);
    if (third) signal();
    else timers.get(NOW_MS)?.();
    assert.deepEqual(exits, [130]);
    assert.deepEqual(lasts, [last], "either way the last thing is done");
    const words = third
      ? /at once, at the third interrupt/
      : /it was told to 5000 ms ago; what it was at is left as it is/;
    assert.match(said(), words);
    // It takes a second, in which nothing ends it anew.
    signal();
    timers.get(NOW_MS)?.();
    assert.deepEqual([exits, said().match(/labferry ends/g)?.length], [[130], 1]);
  }
});

Deno.test("openInterrupts() gives an endless run 2 s from the first one on, and that is no failure", () => {
  const { interrupts, timers, exits, signal } = made({ endless: true });
  signal();
  assert.deepEqual([interrupts.stop.aborted, interrupts.abort.aborted], [true, false]);
  timers.get(ENDLESS_MS)?.();
  assert.deepEqual(exits, [0]);
  assert.ok(ENDLESS_MS < 2000);
});

Deno.test("openInterrupts() ends nothing any more once the work has ended", () => {
  const { interrupts, timers, exits, signal } = made({ endless: true });
  signal();
  signal();
  interrupts[Symbol.dispose]();
  assert.equal(timers.size, 0);
  signal();
  assert.deepEqual(exits, []);
});

Deno.test("openInterrupts() takes a broken process for two interrupts, and leaves its end to others", () => {
  const { interrupts, broken, timers } = made();
  broken.abort();
  assert.deepEqual([interrupts.stop.aborted, interrupts.abort.aborted, timers.size], [true, true, 0]);
});
