import assert from "node:assert/strict";
import type { FileHandle } from "../../../core/io/file_system.ts";
import { ObjectStoreError } from "../../../core/objects/object_store.ts";
import { FolderClock } from "../../../core/places/folder_clock.ts";
import { systemError } from "../../../testing/memory_types.ts";
import { NAS_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_SOURCE,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

const HOUR = 3_600_000;
const RUN_LOCK = `${NAS_ROOT}/.cleanup.lock`;
const PROBES = `${NAS_ROOT}/.labferry/.labferry-tmp-`;

const isProbe = (path: string) => path.startsWith(PROBES);

function probesLeft(world: World): string[] {
  return Object.keys(world.fs.tree(NAS_ROOT)).filter((path) => path.includes("labferry-tmp"));
}

Deno.test("S5 a stamp that a wrong clock left in the journal is named, and without the journal the study goes", async () => {
  await using world = await worldWith();
  world.clock.time += 5000 * HOUR;
  const stamp = new Date(world.clock.now()).toISOString().slice(0, 13);
  const at = new Date(world.clock.now()).toISOString();
  await world.journal.startRun({ id: "ahead", pipeline: "backup", startedAt: at });
  await world.journal.finishRun("ahead", at, 0);
  world.clock.time -= 5000 * HOUR;
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(report.items[0].error?.message ?? "", new RegExp(`journal was written at ${stamp}`));
  assert.match(
    report.items[0].error?.hint ?? "",
    /move journal\.db, with journal\.db-wal and journal\.db-shm .* out of the state folder/,
  );
  assertSourceWhole(world);
  await world.loseJournal();
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S5 a run that finds its own clock wrong leaves no stamp that forbids later removals", async () => {
  await using world = await worldWith();
  const { headBucket } = world.store;
  world.clock.time += 400 * 24 * HOUR;
  world.store.headBucket = () => Promise.reject(new ObjectStoreError("clock-skew", "RequestTimeTooSkewed"));
  const refused = await world.run();
  assert.deepEqual([refused.exit_code === 0, refused.error?.code], [false, "s3/clock-skew"]);
  // Nor do the messages about it.
  const at = new Date(world.clock.now()).toISOString();
  await world.journal.outbox.enqueue({ id: "e", event: "backup_failure", at, data: null });
  await world.journal.claims.claim("notify:outbox", "h", { now: world.clock.now(), ms: 1 });
  await world.journal.seen.mark("k", world.clock.now(), 1);
  await world.journal.outbox.markSent("e", at);
  world.store.headBucket = headBucket;
  world.clock.time -= 400 * 24 * HOUR;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a clock that is set back during a run removes nothing, and the study goes once it is right", async () => {
  await using world = await worldWith();
  assertFailed(await runAndAfter(world, "record", () => void (world.clock.time -= HOUR)), "destroy/clock");
  assertSourceWhole(world);
  world.clock.time += 2 * HOUR;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a store that does not tell the time permits no destroy, and its name and the cure are said", async () => {
  await using world = await worldWith();
  const { headBucket } = world.store;
  world.store.headBucket = async (signal) => ({ ...await headBucket(signal), serverDate: null });
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(
    report.items[0].error?.message ?? "",
    /s3 does not tell the time \(the answers of its store have no Date\)/,
  );
  assert.match(report.items[0].error?.hint ?? "", /Date header/);
  assertSourceWhole(world);
  world.store.headBucket = headBucket;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S13 a clock over five minutes off the one that stamps the files of a folder permits no destroy", async () => {
  for (const [minutes, goes] of [[4, true], [-4, true], [6, false], [-6, false]] as const) {
    await using world = await worldWith();
    world.fs.disk.setMount("/nas", { aheadMs: minutes * 60_000 });
    const report = await world.run();
    if (goes) {
      assertDone(report);
      assert.deepEqual(world.files(SOURCE_ROOT), {});
      continue;
    }
    assertFailed(report, "destroy/clock");
    assert.match(report.items[0].error?.message ?? "", /the clock of truenas says \d{4}-/);
    assertSourceWhole(world);
    world.fs.disk.setMount("/nas", { aheadMs: 0 });
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  }
});

Deno.test("S13 the stamp of a folder's files is taken anew at each batch", async () => {
  await using world = await worldWith(manyFiles());
  const off = () => world.fs.disk.setMount("/nas", { aheadMs: HOUR });
  assertFailed(await runAndBeforeRemoval(world, 1000, off), "destroy/clock");
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
});

Deno.test("S13 a file system that gives files no time permits no destroy", async () => {
  await using world = await worldWith();
  const { lstat } = world.fs;
  world.fs.lstat = async (path) => {
    const stat = await lstat(path);
    return stat && isProbe(path) ? { ...stat, mtimeMs: null } : stat;
  };
  const report = await world.run();
  assertFailed(report, "destroy/clock");
  assert.match(report.items[0].error?.message ?? "", /truenas does not tell the time/);
  assertSourceWhole(world);
  assert.deepEqual(probesLeft(world), []);
});

Deno.test("S13 a share that stamps a file only once it is closed tells the time all the same", async () => {
  await using world = await worldWith();
  const { openReadWrite, createNew, lstat } = world.fs;
  // Samba: the write time of an open file is that of its first write until it is closed.
  const stale = (handle: FileHandle) => {
    const { stat } = handle;
    return Object.assign(handle, { stat: async () => ({ ...await stat(), mtimeMs: world.clock.now() - HOUR }) });
  };
  world.fs.openReadWrite = async (path, options) => {
    const handle = await openReadWrite(path, options);
    return path === RUN_LOCK ? stale(handle) : handle;
  };
  const open = new Set<string>();
  world.fs.createNew = async (path) => {
    const handle = await createNew(path);
    if (!isProbe(path)) return handle;
    open.add(path);
    const close = async () => {
      await handle.close();
      open.delete(path);
    };
    return { ...stale(handle), close, [Symbol.asyncDispose]: close };
  };
  world.fs.lstat = async (path) => {
    const stat = await lstat(path);
    return stat && open.has(path) ? { ...stat, mtimeMs: world.clock.now() - HOUR } : stat;
  };
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S10 S13 a run writes its lock once, however often it asks a folder for the time", async () => {
  await using world = await worldWith(manyFiles());
  let written = 0, probes = 0;
  world.fs.fault = ({ operation, path }) => {
    if (operation === "write" && path === RUN_LOCK) written++;
    if (operation === "createNew" && isProbe(path)) probes++;
  };
  assertDone(await world.run());
  assert.equal(written, 1);
  assert.ok(probes >= 2, `${probes} probes`);
  assert.deepEqual(probesLeft(world), []);
});

Deno.test("S13 a folder that cannot tell the time for now keeps no probe, and one left by a crash goes", async () => {
  for (const operation of ["write", "sync", "close", "lstat", "removeFile"] as const) {
    await using world = await worldWith();
    let failed = false;
    world.fs.fault = (call) => {
      if (failed || call.operation !== operation || !isProbe(call.path)) return;
      failed = true;
      throw systemError("EIO", call.path);
    };
    assertFailed(await world.run(), "io/failing");
    assertSourceWhole(world);
    assert.deepEqual(probesLeft(world), [], operation);
    world.fs.fault = undefined;
    world.fs.seed({ [`${PROBES}${"0".repeat(32)}`]: "left" });
    assertDone(await world.run());
    assert.deepEqual(probesLeft(world), [], operation);
  }
});

Deno.test("S1 S13 a folder whose marker went is asked for no time", async () => {
  await using world = await worldWith();
  const unmount = () => world.fs.disk.removeFile(`${NAS_ROOT}/.labferry-place`);
  const clock = new FolderClock(world.fs, {
    path: NAS_ROOT,
    uuid: "",
    check: async () => {
      if (await world.fs.lstat(`${NAS_ROOT}/.labferry-place`) === undefined) throw new Error("the marker is gone");
    },
  });
  assert.equal(await clock.now(), world.clock.now());
  unmount();
  const before = world.fs.tree(NAS_ROOT);
  await assert.rejects(clock.now(), /marker is gone/);
  assert.deepEqual(world.fs.tree(NAS_ROOT), before);
});

Deno.test("S1 S13 a share that goes away while it is asked for the time tells none", async () => {
  await using world = await worldWith();
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "removeFile" || !isProbe(path)) return;
    world.fs.fault = undefined;
    world.fs.disk.removeFile(`${NAS_ROOT}/.labferry-place`);
  };
  const report = await world.run();
  assert.equal(report.error?.code ?? report.items[0].error?.code, "place/changed");
  assertSourceWhole(world);
});
