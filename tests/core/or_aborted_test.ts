import assert from "node:assert/strict";
import { orAborted } from "../../core/or_aborted.ts";

const never = () => new Promise<never>(() => {});

Deno.test("orAborted() gives what the work gives, throws what it throws, and ends with the signal", async () => {
  const stop = new AbortController();
  assert.equal(await orAborted(Promise.resolve(7), stop.signal), 7);
  await assert.rejects(orAborted(Promise.reject(new Error("no")), stop.signal), /no/);
  const late = Promise.withResolvers<never>();
  const waiting = [orAborted(never(), stop.signal), orAborted(late.promise, stop.signal)];
  stop.abort(new Error("enough"));
  for (const one of [...waiting, orAborted(never(), stop.signal)]) await assert.rejects(one, /enough/);
  late.reject(new Error("nobody's"));
  await Deno.lstat("."); // an unhandled rejection fails the test at the next turn
});

Deno.test("orAborted() leaves nothing at a signal that goes on", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const watched = new Proxy(signal, {
    get(target, key) {
      if (key === "addEventListener") listeners++;
      if (key === "removeEventListener") listeners--;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  for (let turn = 0; turn < 3; turn++) await orAborted(Promise.resolve(turn), watched);
  assert.equal(listeners, 0);
});
