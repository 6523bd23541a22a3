import assert from "node:assert/strict";
import { untilStopped } from "../../../core/run/until_stopped.ts";

const never = () => new Promise<never>(() => {});

async function* items(count: number, made: WeakRef<object>[]) {
  for (let n = 0; n < count; n++) {
    const item = new Array<number>(20_000).fill(n);
    made.push(new WeakRef(item));
    await Deno.lstat("."); // what a weak reference was made of is held until the turn ends
    yield item;
  }
}

Deno.test("untilStopped() holds no item that is done with, however long the run goes on", async () => {
  const made: WeakRef<object>[] = [];
  const stop = new AbortController();
  for await (const item of untilStopped(items(1500, made), stop.signal)) assert.equal(item.length, 20_000);
  const held = made.filter((item) => item.deref() !== undefined).length;
  assert.ok(held < 1500, `${held} of 1500 items are held`);
});

Deno.test("untilStopped() leaves a source that hangs, before an item, behind one, or at its end", async () => {
  const sources = [
    async function* () {
      yield await never();
    },
    async function* () {
      yield 1;
      yield await never();
    },
    async function* () {
      try {
        yield 1;
      } finally {
        await never();
      }
    },
  ];
  for (const [at, source] of sources.entries()) {
    const stop = new AbortController();
    const seen: number[] = [];
    const drawn = (async () => {
      for await (const item of untilStopped(source(), stop.signal)) {
        seen.push(item);
        if (at === 2) break;
      }
    })();
    await Deno.lstat(".");
    stop.abort();
    await drawn;
    assert.deepEqual(seen, at === 0 ? [] : [1]);
  }
});

Deno.test("untilStopped() throws what a source throws", async () => {
  // deno-lint-ignore require-yield
  const fails = async function* () {
    throw new Error("no such file");
  };
  await assert.rejects(untilStopped(fails(), new AbortController().signal).next(), /no such file/);
});
