import assert from "node:assert/strict";
import type { Journal } from "../../../core/journal/journal.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

/** The journal with some of its calls replaced. */
function withJournal(changes: Partial<Journal>): (services: EngineServices) => EngineServices {
  return (services) => {
    const get = (journal: Journal, key: string | symbol) => {
      const found = Reflect.get(Object.hasOwn(changes, key) ? changes : journal, key);
      return typeof found === "function" ? found.bind(journal) : found;
    };
    return { ...services, journal: new Proxy(services.journal, { get }) };
  };
}

const full = () => Promise.reject(new Error("database or disk is full"));

Deno.test("runPipeline() reports what it did when the journal cannot note the end of the run", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  const report = await world.run({ wrap: withJournal({ finishRun: full }) });
  assert.equal(report.items[0].outcome, "done");
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.match(report.error?.message ?? "", /note the end of run .* disk is full/);
  assert.notEqual(report.exit_code, 0);
});

Deno.test("runPipeline() says what stopped the run, not that the journal could not note it", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.unmount("/nas");
  const report = await world.run({ wrap: withJournal({ finishRun: full }) });
  assert.equal(report.exit_code, 2);
  assert.match(report.error?.code ?? "", /^place\//);
});

Deno.test("runPipeline() does nothing and says why when the journal cannot note the start of the run", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  const report = await world.run({ wrap: withJournal({ startRun: full, finishRun: full }) });
  assert.match(report.error?.message ?? "", /disk is full/);
  assert.notEqual(report.exit_code, 0);
  assert.deepEqual(world.files(NAS_ROOT), {});
});
