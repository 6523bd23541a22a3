import assert from "node:assert/strict";
import { Budget, Gate } from "../../../core/objects/budget.ts";

const never = new AbortController().signal;

/** Lets everything that can go on do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("Gate.enter() lets in as many as there is room for, in order", async () => {
  const gate = new Gate(2);
  const first = await gate.enter(never);
  await gate.enter(never);
  const entered: string[] = [];
  const third = gate.enter(never).then((pass) => (entered.push("third"), pass));
  const fourth = gate.enter(never).then((pass) => (entered.push("fourth"), pass));
  await settle();
  assert.deepEqual(entered, []);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await settle();
  assert.deepEqual(entered, ["third"]);
  (await third)[Symbol.dispose]();
  await fourth;
  assert.equal(gate.held, 2);
});

Deno.test("Gate.enter() meets a demand above its total when nothing else is out", async () => {
  const gate = new Gate(10);
  const small = await gate.enter(never, 1);
  let large: Disposable | undefined;
  const asked = gate.enter(never, 50).then((pass) => large = pass);
  await settle();
  assert.equal(large, undefined);
  small[Symbol.dispose]();
  await asked;
  assert.equal(gate.held, 10);
});

Deno.test("Gate.enter() gives up when aborted, and those behind move up", async () => {
  const gate = new Gate(2);
  await gate.enter(never);
  const stop = new AbortController();
  const large = gate.enter(stop.signal, 2);
  const small = gate.enter(never);
  stop.abort(new Error("enough"));
  await assert.rejects(large, /enough/);
  await small;
  assert.equal(gate.held, 2);
  await assert.rejects(gate.enter(stop.signal), /enough/);
});

Deno.test("Budget.acquire() lends the same memory again, and never to two", async () => {
  const budget = new Budget(8 * 2 ** 20);
  const first = await budget.acquire(3 * 2 ** 20 - 7, never);
  assert.equal(first.bytes.length, 3 * 2 ** 20 - 7);
  const memory = first.bytes.buffer;
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const second = await budget.acquire(3 * 2 ** 20, never);
  const third = await budget.acquire(3 * 2 ** 20, never);
  assert.equal(second.bytes.buffer, memory);
  assert.notEqual(third.bytes.buffer, memory);
});

Deno.test("Budget.acquire() never lends memory that was spoiled", async () => {
  const budget = new Budget(8 * 2 ** 20);
  const first = await budget.acquire(2 ** 20, never);
  first.spoil();
  first[Symbol.dispose]();
  const second = await budget.acquire(2 ** 20, never);
  assert.notEqual(second.bytes.buffer, first.bytes.buffer);
  assert.equal(budget.held, 2 ** 20);
});
