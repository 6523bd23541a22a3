import assert from "node:assert/strict";
import type { Plan } from "../../../core/contract.ts";
import { Claims } from "../../../core/run/claims.ts";
import type { ItemReport } from "../../../core/run/report.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import { event, eventStage, listSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

const PIPELINE = `name = "events"\n[source]\nuse = "list"\n[[stage]]\nuse = "act"\n`;
const outcomes = (report: { items: ItemReport[] }) => report.items.map(({ name, outcome }) => [name, outcome]);

Deno.test("two runs do not draw from a source that one of them has claimed; a dead one's claim lapses", async () => {
  const list = listSource([event("a")], { claim: "outbox" });
  await using world = await World.open({ plugins: [list.plugin, eventStage("act", {})] });
  const now = world.clock.now();
  await world.journal.claims.claim("events:outbox", "another", { now, ms: 60_000 });
  assert.deepEqual((await world.run({ pipeline: PIPELINE })).items, []);
  world.clock.time += 60_000;
  assert.deepEqual(outcomes(await world.run({ pipeline: PIPELINE })), [["a", "done"]]);
  assert.deepEqual(outcomes(await world.run({ pipeline: PIPELINE })), [["a", "done"]]);
});

Deno.test("a claim left by a process of this host that died is free at once, one of a living or another host's is not", async () => {
  const list = listSource([event("a")], { claim: "outbox" });
  await using world = await World.open({ plugins: [list.plugin, eventStage("act", {})] });
  const lease = { now: world.clock.now(), ms: 60_000 };
  const holder = (host: string, pid: number) => JSON.stringify({ host, pid, run: "another" });
  const run = async (left: string, alive = false) => {
    await world.journal.claims.claim("events:outbox", left, lease);
    const report = await world.run({
      pipeline: PIPELINE,
      wrap: (services) => ({ ...services, processes: { isAlive: () => Promise.resolve({ alive }) } }),
    });
    await world.journal.claims.release("events:outbox", left);
    return report.items.length;
  };
  assert.equal(await run(holder("instrument-1", 2 ** 30)), 1);
  assert.equal(await run(holder("instrument-1", 2 ** 30), true), 0);
  assert.equal(await run(holder("instrument-2", 2 ** 30)), 0);
});

/** Three steps of 40 s, each followed by what another run tries. */
function slow(world: () => World, attempt: (world: World) => Promise<unknown>) {
  return eventStage("act", {
    async *plan(): AsyncIterable<Plan> {
      for (const id of ["1", "2", "3"]) yield { kind: "todo", id, summary: id, data: null };
    },
    async apply() {
      world().clock.time += 40_000;
      await attempt(world());
    },
  });
}

Deno.test("a claim outlives an item that takes longer than its lease", async () => {
  const list = listSource([event("a")], { claim: "outbox" });
  const taken: boolean[] = [];
  await using world: World = await World.open({
    plugins: [
      list.plugin,
      slow(() => world, async ({ journal, clock }) => {
        taken.push(await journal.claims.claim("events:outbox", "another", { now: clock.now(), ms: 60_000 }));
      }),
    ],
  });
  const report = await world.run({ pipeline: PIPELINE });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(taken, [false, false, false]);
});

Deno.test("a run whose claim was taken over breaks its item off, acknowledges nothing, and ends with 1", async () => {
  const list = listSource([event("a"), event("b")], { claim: "outbox" });
  let applied = 0;
  await using world: World = await World.open({
    plugins: [
      list.plugin,
      slow(() => world, async ({ journal, clock }) => {
        applied++;
        clock.time += 60_000; // suspended
        await journal.claims.claim("events:outbox", "another", { now: clock.now(), ms: 60_000 });
      }),
    ],
  });
  const report = await world.run({ pipeline: PIPELINE });
  assert.deepEqual([report.exit_code, report.error?.code], [1, "run/claim-lost"]);
  assert.equal(applied, 1);
  assert.deepEqual(list.acked, []);
});

Deno.test("Claims.keep() renews by time, while a step hangs or no item comes", async () => {
  await using world = await World.open({ plugins: [] });
  const { clock, journal } = world;
  const services = { clock, journal, host: "h" } as unknown as EngineServices;
  const claims = new Claims(services, { pipeline: "p", runId: "r" });
  assert.equal(await claims.take("log"), true);
  let tick = () => {};
  using _ = claims.keep((_ms, given) => {
    tick = given;
    return { [Symbol.dispose]: () => {} };
  });
  const another = () => journal.claims.claim("p:log", "another", { now: clock.now(), ms: 60_000 });
  for (let round = 0; round < 10; round++) {
    clock.time += 20_000;
    tick();
    assert.equal(await another(), false);
  }
  clock.time += 60_000;
  assert.equal(await another(), true);
  tick();
  await Promise.resolve();
  assert.equal(claims.lost.aborted, true);
  await assert.rejects(claims.renew(), { code: "run/claim-lost" });
});
