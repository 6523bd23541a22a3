import assert from "node:assert/strict";
import { failure } from "../../../testing/memory_object_store.ts";
import { backedUp, cleanup, EVICT_ALL, onNas, studyOf } from "../../kit/backups.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

Deno.test("runPipeline() hears the wish to stop while the source looks through a study", async () => {
  for (const how of ["stop", "abort"] as const) {
    await using world = await World.open();
    for (const name of ["study1", "study2", "study3"]) world.study(name, { "a.txt": "alpha", "Scan1/b.txt": "beta" });
    const wish = new AbortController();
    const looked = new Set<string>();
    world.fs.fault = ({ operation, path }) => {
      if (operation !== "readDir" || !path.startsWith(`${SOURCE_ROOT}/`)) return;
      looked.add(path);
      wish.abort();
    };
    const report = await world.run({ [how]: wish.signal });
    assert.equal(report.exit_code, 130, how);
    assert.deepEqual(report.items, [], how);
    assert.deepEqual([...looked], [`${SOURCE_ROOT}/study1`], how);
    assert.deepEqual(world.files(NAS_ROOT), {});
  }
});

Deno.test("S9 a run that is told to stop during the last look at a file does not remove it", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta", "c.txt": "gamma" });
  const abort = new AbortController();
  let removed = 0;
  world.fs.fault = ({ operation, path }) => {
    if (!path.startsWith(`${SOURCE_ROOT}/study1/`) || !path.endsWith(".txt")) return;
    if (operation === "removeFile") removed++;
    if (operation === "lstat" && removed === 1) abort.abort();
  };
  const report = await world.run({ abort: abort.signal });
  assert.equal(report.exit_code, 130);
  assert.equal(removed, 1);
});

/** A store that takes a request and never answers; the run is asked to stop while it waits. */
function hang(world: World, name: "headBucket" | "list" | "put", wish: AbortController): { asked: number } {
  const seen = { asked: 0 };
  const own = world.store[name] as (...given: unknown[]) => unknown;
  const waits = (...given: unknown[]) => {
    // What goes wrong with the mirror of the ledger is a warning, and stops nothing.
    if (name === "put" && String(given[0]).includes("_manifests/")) return own(...given);
    seen.asked++;
    const signal = given.find((one) => one instanceof AbortSignal) as AbortSignal;
    return new Promise<never>((_, reject) => {
      // What the store's own limit does in the end, where nothing else ends the wait.
      const limit = () => reject(failure("unreachable", "no answer within 60 s"));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      queueMicrotask(() => {
        wish.abort();
        queueMicrotask(limit);
      });
    });
  };
  Object.assign(world.store, {
    [name]: name === "list"
      ? async function* (...given: unknown[]): AsyncGenerator<never> {
        yield await waits(...given) as never;
      }
      : waits,
  });
  return seen;
}

Deno.test("runPipeline() ends at once when it is asked to stop while a store hangs at the check of the places", async () => {
  for (const how of ["stop", "abort"] as const) {
    for (const name of ["headBucket", "list"] as const) {
      await using world = await World.open();
      world.study("study1", { "a.txt": "alpha" });
      const wish = new AbortController();
      const seen = hang(world, name, wish);
      const report = await world.run({ [how]: wish.signal });
      assert.deepEqual(
        [report.exit_code, report.error?.code, report.items],
        [130, "run/stopped", []],
        `${how} ${name}`,
      );
      assert.equal(seen.asked, 1);
      assert.deepEqual(world.clock.slept, []);
      assert.deepEqual(world.log.lines.filter(({ level }) => level === "warn" || level === "error"), []);
    }
  }
});

Deno.test("runPipeline() tries no request of a step again once it was asked to stop, and the next run goes on", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta", "c.txt": "gamma" });
  const wish = new AbortController();
  const { put } = world.store;
  const seen = hang(world, "put", wish);
  const report = await world.run({ stop: wish.signal });
  assert.deepEqual([report.exit_code, report.error?.code], [130, "run/stopped"]);
  assert.deepEqual(report.items.map(({ outcome, error }) => [outcome, error]), [["waiting", undefined]]);
  assert.equal(seen.asked, 1);
  assert.deepEqual(world.clock.slept, []);
  assert.deepEqual(world.log.lines.filter(({ level }) => level === "warn" || level === "error"), []);
  assert.equal((await world.ledger()).get("study1")?.status, "in_progress");
  world.store.put = put;
  assert.equal((await world.run()).exit_code, 0);
  assert.equal((await world.ledger()).get("study1")?.status, "complete");
});

Deno.test("S4 a cleanup that is asked to stop while the store is away removes nothing more, and is no loss of a place", async () => {
  await using world = await backedUp({ study1: studyOf(100), study2: studyOf(100) }, { config: EVICT_ALL });
  const wish = new AbortController();
  let asked = 0;
  world.store.hooks.before = ({ key }) => {
    if (!wish.signal.aborted && !key.includes("study1/")) return;
    asked++;
    wish.abort();
    throw failure("unreachable");
  };
  const before = onNas(world);
  world.log.lines.length = 0;
  const report = await cleanup(world, { stop: wish.signal });
  assert.deepEqual([report.exit_code, report.error?.code], [130, "run/stopped"]);
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [["study1", "waiting"]]);
  assert.equal(asked, 1);
  assert.deepEqual(onNas(world), before);
  assert.deepEqual(world.log.lines.filter(({ level }) => level === "error"), []);
  world.store.hooks = {};
  await cleanup(world);
  assert.deepEqual(onNas(world), []);
});
