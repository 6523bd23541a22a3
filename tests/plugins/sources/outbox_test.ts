import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { eventStage } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

const PIPELINE = `name = "p"\n[source]\nuse = "outbox"\n[[stage]]\nuse = "act"\n`;
const AT = "2026-01-01T00:00:00.000Z";

Deno.test("outbox yields what waits, oldest first, and forgets what was delivered or is told to nobody", async () => {
  const seen: unknown[] = [];
  const act = eventStage("act", {
    async *plan(item) {
      seen.push(item.data);
      if (item.name === "dropped") yield { kind: "drop", why: "nobody" };
      else if (item.name === "waits") yield { kind: "wait", why: "later" };
      else yield { kind: "todo", id: "1", summary: "1", data: null };
    },
    apply: (_step, ctx) =>
      ctx.item.name === "fails" ? Promise.reject(new PipelineError("x/y", "Cannot act: no")) : Promise.resolve(),
  });
  await using world = await World.open({ plugins: [act] });
  const { outbox } = world.journal;
  for (const event of ["fails", "sent", "waits", "dropped"]) {
    await outbox.enqueue({ id: `id-${event}`, event, at: AT, data: { event } });
  }
  const report = await world.run({ pipeline: PIPELINE });
  assert.deepEqual(report.items.map(({ name }) => name), ["fails", "sent", "waits", "dropped"]);
  assert.deepEqual(seen[0], { event: "fails", at: AT, details: { event: "fails" } });
  assert.deepEqual((await outbox.pending()).map(({ id }) => id), ["id-fails", "id-waits"]);
});

Deno.test("outbox gives nothing while another run delivers", async () => {
  await using world = await World.open({ plugins: [eventStage("act", {})] });
  await world.journal.outbox.enqueue({ id: "1", event: "e", at: AT, data: null });
  await world.journal.claims.claim("p:outbox of /state/config.toml", "another", { now: world.clock.now(), ms: 60_000 });
  assert.deepEqual((await world.run({ pipeline: PIPELINE })).items, []);
  assert.equal((await world.journal.outbox.pending()).length, 1);
});

Deno.test("outbox ends once so many in a row had to wait, and begins with the oldest again", async () => {
  let planned = 0;
  const act = eventStage("act", {
    async *plan() {
      planned++;
      yield { kind: "wait", why: "the server is away" };
    },
  });
  await using world = await World.open({ plugins: [act] });
  const at = new Date(world.clock.now()).toISOString();
  const events = Array.from({ length: 150 }, (_, nth) => ({ id: `e${nth}`, event: "e", at, data: null }));
  await world.journal.outbox.enqueueMany(events);
  for (let round = 0; round < 2; round++) {
    const report = await world.run({ pipeline: PIPELINE });
    assert.equal(report.items.length, 10);
  }
  assert.equal(planned, 20);
  assert.equal((await world.journal.outbox.pending()).length, 150);
});

Deno.test("outbox gives every event of many pages once", async () => {
  await using world = await World.open({ plugins: [eventStage("act", {})] });
  const at = new Date(world.clock.now()).toISOString();
  const events = Array.from({ length: 150 }, (_, nth) => ({ id: `e${nth}`, event: "e", at, data: null }));
  await world.journal.outbox.enqueueMany(events);
  const report = await world.run({ pipeline: PIPELINE });
  assert.equal(report.items.length, 150);
  assert.equal(await world.journal.outbox.hasPending(), false);
});
