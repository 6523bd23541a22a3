/** Runs over a NAS that is full: what a cleanup may use of it, and that nothing else does. */
import assert from "node:assert/strict";
import { stepper } from "../../../testing/crash.ts";
import { systemError } from "../../../testing/memory_types.ts";
import { MANIFEST_ROOT, NAS_ROOT, type World, type WorldOptions } from "../../../testing/world.ts";
import { RESERVE_NAME } from "../../../core/safety/reserve.ts";
import { backedUp, cleanup, onNas, studyOf } from "../../kit/backups.ts";

const MIB = 2 ** 20;
const RESERVE = `${NAS_ROOT}/${RESERVE_NAME}`;
const LOCK = `${NAS_ROOT}/.cleanup.lock`;

/** Two studies of 1 MiB, and not a byte is free. Half of the NAS is another's. */
async function full({ reserve = true, ...options }: WorldOptions & { reserve?: boolean } = {}): Promise<World> {
  const config = "[cleanup]\nfree_threshold_pct = 20\n";
  const world = await backedUp({ old: studyOf(MIB), young: studyOf(MIB) }, { nasBytes: 4 * MIB, config, ...options });
  if (reserve) world.fs.seed({ [RESERVE]: new Uint8Array(65_536) });
  const { free } = await world.fs.space(NAS_ROOT);
  world.fs.seed({ "/nas/filler": new Uint8Array(free) });
  return world;
}

Deno.test("runPipeline() frees a full NAS in the space that was set aside, and sets it aside again", async () => {
  await using world = await full();
  const dry = await cleanup(world, { dryRun: true });
  assert.deepEqual([dry.exit_code, dry.items.map(({ name }) => name)], [0, ["old"]]);
  const report = await cleanup(world);
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(onNas(world), ["young"]);
  assert.equal(world.fs.disk.lstat(RESERVE)?.size, 65_536);
  assert.equal(world.fs.disk.lstat(LOCK), undefined);
});

Deno.test("S10 runPipeline() leaves no lock behind that it could not write, with or without a reserve", async () => {
  for (const stale of ["reclaim", "refuse"]) {
    const config = `[cleanup]\nfree_threshold_pct = 20\n[backup]\nstale_locks = "${stale}"\n`;
    await using world = await full({ reserve: false, config });
    for (const dryRun of [true, false, false]) {
      const report = await cleanup(world, { dryRun });
      assert.deepEqual([report.exit_code, report.error?.code], [1, "place/full"]);
    }
    assert.equal(world.fs.disk.lstat(LOCK), undefined);
    world.fs.disk.removeFile("/nas/filler");
    world.fs.seed({ "/nas/filler": new Uint8Array(MIB) });
    const report = await cleanup(world, { host: "instrument-2" });
    assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  }
});

Deno.test("S10 runPipeline() leaves no lock behind in a study that it could not write", async () => {
  await using world = await full();
  world.fs.fault = ({ operation, path }) => {
    if (operation === "write" && path.startsWith(`${NAS_ROOT}/old/`)) throw systemError("ENOSPC", path);
  };
  await cleanup(world);
  assert.equal(world.fs.disk.lstat(`${NAS_ROOT}/old/.labferry.lock`), undefined);
});

Deno.test("runPipeline() lets no backup have what is set aside, and no cleanup while another run holds the NAS", async () => {
  {
    await using world = await full();
    world.study("new", studyOf(10));
    assert.equal((await world.run()).exit_code, 1);
    assert.equal(world.fs.disk.lstat(RESERVE)?.size, 65_536);
  }
  await using world = await full();
  const holder = { host: "instrument-2", pid: 1, started_at: "2026-01-01T00:00:00Z", run_name: "cleanup 1" };
  world.fs.disk.removeFile("/nas/filler");
  world.fs.seed({ [LOCK]: JSON.stringify(holder) });
  world.fs.seed({ "/nas/filler": new Uint8Array((await world.fs.space(NAS_ROOT)).free) });
  assert.equal((await cleanup(world)).error?.code, "lock/unprovable");
  assert.equal(world.fs.disk.lstat(RESERVE)?.size, 65_536);
});

Deno.test("S12 S22 a crash at any step of a cleanup of a full NAS is made good by the next runs", async () => {
  const count = await (async () => {
    await using world = await full();
    const steps = stepper(world);
    await cleanup(world, { wrap: steps.wrap });
    return steps.count;
  })();
  const end = performance.now() + 10_000;
  // Coarse first, then between.
  const order = Array.from({ length: count }, (_, i) => 1 + (i * 61) % count);
  for (const [tried, at] of order.entries()) {
    if (tried >= 8 && performance.now() > end) break;
    await using world = await full();
    const steps = stepper(world, { crashAt: at });
    await cleanup(world, { wrap: steps.wrap }).catch(() => {}); // the machine is off
    steps.restart(() => false);
    world.clock.time += 3_600_000;
    const told = [];
    for (let run = 1; run <= 2; run++) told.push(JSON.stringify((await cleanup(world)).error));
    assert.deepEqual(onNas(world), ["young"], `${at} of ${count}: ${told}`);
    assert.ok((await world.ledger()).get("old")?.truenas_evicted_at, `${at} of ${count}`);
    assert.equal(world.fs.disk.lstat(RESERVE)?.size, 65_536, `${at} of ${count}`);
    assert.ok(Object.keys(world.fs.tree(MANIFEST_ROOT)).length > 0);
  }
});
