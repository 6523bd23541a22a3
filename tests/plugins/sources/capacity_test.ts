import assert from "node:assert/strict";
import { CrashError } from "../../../testing/memory_file_system.ts";
import { backedUp, cleanup, onNas, studyOf } from "../../kit/backups.ts";
import { NAS_ROOT, type World, type WorldOptions } from "../../../testing/world.ts";

const MIB = 2 ** 20;
const STUDIES = { old: studyOf(MIB), middle: studyOf(MIB), young: studyOf(MIB) };

/** Three studies of 1 MiB on a NAS of 8 MiB: 62.4 % is free. */
function full(pct: number, options: WorldOptions = {}): Promise<World> {
  return backedUp(STUDIES, { nasBytes: 8 * MIB, config: `[cleanup]\nfree_threshold_pct = ${pct}\n`, ...options });
}

Deno.test("capacity.items() yields the oldest backups only until enough is free", async () => {
  for (const [pct, left] of [[50, 3], [62, 3], [63, 2], [75, 1], [80, 1], [90, 0]] as const) {
    await using world = await full(pct);
    const report = await cleanup(world);
    assert.equal(report.exit_code, 0, JSON.stringify(report.error));
    assert.deepEqual(onNas(world), ["old", "middle", "young"].slice(3 - left).sort(), `below ${pct} %`);
  }
});

Deno.test("capacity.items() goes by the time a backup was complete, then by name", async () => {
  await using world = await full(99);
  for (const name of ["b", "a"]) world.study(name, studyOf(MIB));
  await world.run();
  const ledger = await world.ledger();
  const [a, b] = ["a", "b"].map((name) => ledger.get(name)?.completed_at);
  assert.equal(a, b);
  const report = await cleanup(world, { dryRun: true });
  assert.deepEqual(report.items.map((item) => item.name), ["old", "middle", "young", "a", "b"]);
});

Deno.test("capacity.items() in a dry run tells order, sizes and the free space after each, and changes nothing", async () => {
  await using world = await full(80);
  const before = JSON.stringify(world.fs.tree("/"));
  const report = await cleanup(world, { dryRun: true });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(report.items.map(({ name, outcome, note }) => [name, outcome, note]), [
    ["old", "done", "1.0 MiB of 2026-01-02, then 74.9 % free"],
    ["middle", "done", "1.0 MiB of 2026-01-02, then 87.4 % free"],
  ]);
  const evict = report.items[0].stages.find((stage) => stage.id === "evict");
  assert.deepEqual([evict?.files, evict?.bytes], [2, MIB + 16]);
  assert.equal(JSON.stringify(world.fs.tree("/")), before);
});

Deno.test("capacity.items() fails when not enough can go, and says which backups stay and why", async () => {
  await using world = await full(90);
  world.store.objects.delete("fusion/middle/note.txt");
  world.fs.seed({ [`${NAS_ROOT}/stranger/a.bin`]: new Uint8Array(2 * MIB) });
  const report = await cleanup(world);
  assert.equal(report.exit_code, 1);
  assert.equal(report.error?.code, "cleanup/not-enough");
  assert.match(
    report.error?.message ?? "",
    /^Cannot free "\/nas\/backups": 62\.4 % is free after 2 evictions, wanted 90 %; refused were "stranger": the ledger has no record of it; "middle": Cannot count on/,
  );
  assert.deepEqual(onNas(world), ["middle", "stranger"]);
});

Deno.test("S4 capacity.items() takes an eviction that was begun up first, whatever is free", async () => {
  await using world = await full(63);
  let removals = 0;
  world.fs.fault = ({ operation, path }) => {
    if (operation === "removeFile" && path.startsWith(`${NAS_ROOT}/old/`) && ++removals === 2) throw new CrashError();
  };
  await cleanup(world).catch(() => {}); // the machine is off
  world.fs.fault = undefined;
  world.fs.restart();
  assert.deepEqual(onNas(world), ["middle", "old", "young"]);
  // The removed image alone made room enough.
  const report = await cleanup(world);
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [["old", "done"]]);
  assert.match(report.items[0].note ?? "", /^begun by an earlier run, 1\d\d B of 2026-01-02, then 74\.9 % free$/);
  assert.deepEqual(onNas(world), ["middle", "young"]);
  const record = (await world.ledger()).get("old");
  assert.ok(record?.truenas_evicting_at && record.truenas_evicted_at);
});

Deno.test("capacity.items() stops when evictions free nothing, as where snapshots hold what went", async () => {
  await using world = await full(90);
  world.fs.space = () => Promise.resolve({ free: 3 * MIB, total: 8 * MIB });
  const report = await cleanup(world);
  assert.equal(report.exit_code, 1);
  assert.equal(report.error?.code, "cleanup/space-not-freed");
  assert.deepEqual(onNas(world), ["middle", "young"]);
});

Deno.test("capacity.items() waits for a file system that frees in the background", async () => {
  await using world = await full(75);
  const real = world.fs.space;
  let seen = { free: 0, total: 0 }, asked = 0;
  // What went shows at every third look only.
  world.fs.space = async (path) => asked++ % 3 === 0 ? seen = await real(path) : seen;
  const sleep = world.clock.sleep.bind(world.clock);
  world.clock.sleep = async (ms, signal) => {
    asked = 0;
    await sleep(ms, signal);
  };
  assert.equal((await cleanup(world)).exit_code, 0);
  assert.deepEqual(onNas(world), ["young"]);
});

Deno.test("capacity.items() refuses a place whose size nobody tells", async () => {
  await using world = await full(90);
  world.fs.space = () => Promise.resolve({ free: 0, total: 0 });
  const report = await cleanup(world);
  assert.equal(report.error?.code, "cleanup/no-size");
  assert.equal(report.exit_code, 1);
  assert.equal(onNas(world).length, 3);
});

Deno.test("capacity.items() with --only takes that backup alone, and one that is not there is exit 2", async () => {
  await using world = await full(63);
  assert.equal((await cleanup(world, { only: "none" })).exit_code, 2);
  assert.equal((await cleanup(world, { only: "young" })).exit_code, 0);
  assert.deepEqual(onNas(world), ["middle", "old"]);
});
