import assert from "node:assert/strict";
import type { FileSystem } from "../../../core/io/file_system.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import { NAS_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";
import { backedUp, cleanup, EVICT_ALL, onNas } from "../../kit/backups.ts";
import { assertDone, worldWith } from "../../kit/rules.ts";

const STUDY = { "a.txt": "alpha", "c/d.txt": "gamma", "e/f.txt": "x" };
const COPY = `${NAS_ROOT}/study1`;
const LIST = `${COPY}/_checksums.sha256`;

type Before = (call: { name: string; path: string; removals: number }) => Promise<void> | undefined;

/** Puts something before each call of the file system. `removed` lists the removals that were asked for, locks apart. */
function calls(before: Before): { wrap: (services: EngineServices) => EngineServices; removed: string[] } {
  const removed: string[] = [];
  const around = (fs: FileSystem) =>
    new Proxy(fs, {
      get(target, name: keyof FileSystem) {
        const call = Reflect.get(target, name) as unknown;
        if (typeof call !== "function") return call;
        return async (...given: unknown[]) => {
          const [path] = given;
          if (typeof path === "string" && path.includes("/study1") && !path.includes(".labferry")) {
            if (name.startsWith("remove")) removed.push(path);
            await before({ name, path, removals: removed.length });
          }
          return await Reflect.apply(call, target, given);
        };
      },
    });
  return { wrap: (services) => ({ ...services, fs: around(services.fs) }), removed };
}

/** A call that hangs until the run is over, at the time it is told to end. */
function hangs() {
  const abort = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    abort: abort.signal,
    deadlines: { leaveMs: 0 },
    hang: () => (abort.abort(), promise),
    /** Lets it go on, and what follows come to its end. */
    async goOn() {
      resolve();
      for (let turn = 0; turn < 500; turn++) await new Promise((done) => setImmediate(done));
    },
  };
}

async function openOf(world: World, field: "source_deleted_at" | "truenas_evicted_at") {
  return (await world.ledger()).get("study1")?.[field];
}

Deno.test("no further folder goes once a run was told to end, nor the study's own", async () => {
  await using world = await worldWith(STUDY);
  const { hang, goOn, ...ended } = hangs();
  let hung = 0;
  const { wrap, removed } = calls(({ name }) => name === "removeEmptyDir" && hung++ === 0 ? hang() : undefined);
  const report = await world.run({ ...ended, wrap });
  assert.deepEqual([report.exit_code, hung], [130, 1]);
  removed.length = 0;
  await goOn();
  assert.deepEqual(removed, []);
  assert.equal(await openOf(world, "source_deleted_at"), null);
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("the study's own folder stays, under its lock, when the run was told to end before", async () => {
  await using world = await worldWith({ "a.txt": "alpha" });
  const abort = new AbortController();
  let looks = 0, isLocked = false;
  const { wrap, removed } = calls(({ name, path, removals }) => {
    // The last look before the lock is given back: there is no list of checksums either.
    if (name !== "lstat" || path !== `${SOURCE_ROOT}/study1/_checksums.sha256` || removals === 0) return;
    isLocked = world.fs.disk.lstat(`${SOURCE_ROOT}/study1/.labferry.lock`) !== undefined;
    if (++looks === 2) abort.abort();
    return;
  });
  const report = await world.run({ abort: abort.signal, wrap });
  assert.deepEqual([report.exit_code, looks, isLocked], [130, 2, true]);
  assert.deepEqual(removed, [`${SOURCE_ROOT}/study1/a.txt`]);
  assert.equal(await openOf(world, "source_deleted_at"), null);
  assertDone(await world.run());
});

Deno.test("a copy's list of checksums stays when the last look at it hung until the run had ended", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  const { hang, goOn, ...ended } = hangs();
  let looks = 0;
  const { wrap, removed } = calls(({ name, path, removals }) => {
    // Behind three files and two folders: whether it is there, that it is the archive's, and the last look.
    if (name !== "lstat" || path !== LIST || removals < 5) return;
    return ++looks === 4 ? hang() : undefined;
  });
  const report = await cleanup(world, { ...ended, wrap });
  assert.deepEqual([report.exit_code, looks], [130, 4]);
  await goOn();
  assert.equal(removed.includes(LIST), false);
  assert.equal(await openOf(world, "truenas_evicted_at"), null);
  assert.ok(world.files(COPY)["_checksums.sha256"]);
  await cleanup(world);
  assert.deepEqual(onNas(world), []);
});

Deno.test("S5 a copy's list of checksums goes by no proof that is older than ten minutes", async () => {
  for (const slow of [1, 9]) {
    await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
    let looks = 0, last = false;
    const { wrap, removed } = calls(({ name, path, removals }) => {
      if (removals < 5 || path !== LIST) return;
      // The first of its looks is whether it is there: each round has one.
      if (name === "openRead") last = true;
      if (name !== "lstat" || !last) return;
      last = false;
      if (++looks <= slow) world.clock.time += 11 * 60_000;
      return;
    });
    const report = await cleanup(world, { wrap });
    const [{ error }] = report.items;
    if (slow === 1) {
      assert.equal(error, undefined, JSON.stringify(error));
      assert.deepEqual([onNas(world), removed.filter((path) => path === LIST).length], [[], 1]);
    } else {
      assert.equal(error?.code, "destroy/too-slow");
      assert.match(error?.message ?? "", /its folders could not be proved within 10 min/);
      assert.ok(world.files(COPY)["_checksums.sha256"]);
      assert.equal(await openOf(world, "truenas_evicted_at"), null);
    }
  }
});
