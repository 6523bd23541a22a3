import assert from "node:assert/strict";
import type { ArchivedBackup, SourceContext } from "../../../core/ports.ts";
import { capacity } from "../../../plugins/sources/capacity.ts";
import { CrashError } from "../../../testing/memory_file_system.ts";
import { systemError } from "../../../testing/memory_types.ts";
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
  assert.ok(world.log.lines.some(({ message }) => /a run proves every file elsewhere/.test(message)));
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
  assert.match(report.items[0].note ?? "", /^begun by an earlier run, 1\d\d B of 2026-01-02, 74\.9 % free before$/);
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
  let seen = await real(NAS_ROOT);
  // What went shows after a while only.
  world.fs.space = (path) => path === NAS_ROOT ? Promise.resolve(seen) : real(path);
  const sleep = world.clock.sleep.bind(world.clock);
  world.clock.sleep = async (ms, signal) => {
    seen = await real(NAS_ROOT);
    await sleep(ms, signal);
  };
  assert.equal((await cleanup(world)).exit_code, 0);
  assert.deepEqual(onNas(world), ["young"]);
});

Deno.test("capacity.items() measures again before each, so that a failed eviction costs no further backup", async () => {
  await using world = await full(63);
  world.fs.fault = ({ operation, path }) => {
    if (operation === "removeFile" && path === `${NAS_ROOT}/old/note.txt`) throw systemError("EIO", path);
  };
  const report = await cleanup(world);
  // The image alone made room enough.
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [["old", "failed"]]);
  assert.deepEqual([report.exit_code, report.error], [1, undefined]);
  assert.deepEqual(onNas(world), ["middle", "old", "young"]);
});

Deno.test("capacity.items() measures again before each, and waits for what a failed eviction is still freeing", async () => {
  await using world = await full(63);
  const real = world.fs.space;
  let seen = await real(NAS_ROOT);
  world.fs.space = () => Promise.resolve(seen);
  const sleep = world.clock.sleep.bind(world.clock);
  world.clock.sleep = async (ms, signal) => {
    seen = await real(NAS_ROOT);
    await sleep(ms, signal);
  };
  world.fs.fault = ({ operation, path }) => {
    if (operation === "removeFile" && path === `${NAS_ROOT}/old/note.txt`) throw systemError("EIO", path);
  };
  await cleanup(world);
  assert.deepEqual(onNas(world), ["middle", "old", "young"]);
});

Deno.test("capacity.items() measures again before each, so that space that others freed keeps the next backup", async () => {
  await using world = await full(60);
  const other = `${NAS_ROOT}/.labferry-other`;
  world.fs.seed({ [other]: new Uint8Array(MIB) });
  world.store.objects.delete("fusion/old/note.txt");
  world.store.hooks.before = ({ key }) => {
    if (key === "fusion/old/note.txt" && world.fs.disk.lstat(other)) world.fs.disk.removeFile(other);
  };
  const report = await cleanup(world);
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [["old", "failed"]]);
  assert.deepEqual([report.exit_code, report.error], [1, undefined]);
  assert.deepEqual(onNas(world), ["middle", "old", "young"]);
});

Deno.test("capacity.items() tells in a real run what was measured, not what was to be expected", async () => {
  await using world = await full(75);
  const report = await cleanup(world);
  assert.deepEqual(report.items.map(({ note }) => note), [
    "1.0 MiB of 2026-01-02, 62.4 % free before",
    "1.0 MiB of 2026-01-02, 74.9 % free before",
  ]);
});

Deno.test("capacity.items() takes up every eviction that was begun, also behind one that is refused", async () => {
  const backup = (name: string, more: Partial<ArchivedBackup> = {}): ArchivedBackup => {
    return { name, path: `/nas/${name}`, bytes: 1, completedAt: "2026-01-01T00:00:00Z", begun: true, ...more };
  };
  const ctx = {
    run: { dryRun: true },
    signal: new AbortController().signal,
    log: { info() {} },
    space: () => Promise.resolve({ free: 50, total: 100 }),
    item: ({ name, path }: ArchivedBackup) => Promise.resolve({ id: name, name, kind: "backup", root: path, data: {} }),
    async *archived() {
      yield backup("a", { refused: "its record names no list of checksums" });
      yield backup("b");
      yield backup("c", { begun: false });
    },
  } as unknown as SourceContext;
  const source = await capacity.open({ place_root: "/nas", below: 10 }, {} as never);
  const names: string[] = [];
  for await (const item of source.items(ctx)) {
    names.push(item.name);
    await source.ack?.(item, "done", {} as never);
  }
  assert.deepEqual(names, ["b"]);
});

Deno.test("capacity.items() evicts nothing more where it was in vain, until its space comes, time passes or a name is given", async () => {
  const inVain = async () => {
    const world = await full(90);
    world.fs.space = () => Promise.resolve({ free: 3 * MIB, total: 8 * MIB });
    assert.equal((await cleanup(world)).error?.code, "cleanup/space-not-freed");
    assert.deepEqual(onNas(world), ["middle", "young"]);
    world.clock.time += 86_400_000;
    return world;
  };
  {
    await using world = await inVain();
    const report = await cleanup(world);
    assert.deepEqual([report.exit_code, report.error?.code], [1, "cleanup/space-not-freed"]);
    assert.match(report.error?.message ?? "", /: 1\.0 MiB went in a run on 2026-01-02, and is still not free$/);
    assert.match(report.error?.hint ?? "", /until 2026-01-09; --only NAME goes on at once/);
    assert.deepEqual(onNas(world), ["middle", "young"]);
    await cleanup(world, { only: "middle" });
    assert.deepEqual(onNas(world), ["young"]);
  }
  {
    await using world = await inVain();
    world.clock.time += 7 * 86_400_000;
    assert.equal((await cleanup(world)).error?.code, "cleanup/space-not-freed");
    assert.deepEqual(onNas(world), ["young"]);
  }
  {
    await using world = await inVain();
    world.fs.space = () => Promise.resolve({ free: (6 - onNas(world).length) * MIB, total: 8 * MIB });
    await cleanup(world);
    assert.deepEqual(onNas(world), []);
  }
});

Deno.test("capacity.items() names a linked folder among those that stay", async () => {
  await using world = await full(90);
  world.fs.seed({ "/instrument/moved/a.bin": "moved", [`${NAS_ROOT}/linked`]: { link: "/instrument/moved" } });
  world.store.objects.delete("fusion/middle/note.txt");
  const report = await cleanup(world);
  assert.match(report.error?.message ?? "", /"linked": it is a link, and links are never followed/);
});

Deno.test("capacity.items() says what stays, and what to do, only of what there was", async () => {
  await using world = await full(90);
  const only = (await cleanup(world, { only: "old" })).error;
  assert.match(only?.message ?? "", /74\.9 % is free after 1 eviction, wanted 90 %; only "old" was to go$/);
  assert.match(only?.hint ?? "", /^Run it without --only/);
  world.fs.seed({ "/nas/other": new Uint8Array(2 * MIB) });
  const rest = (await cleanup(world)).error;
  assert.match(rest?.message ?? "", /after 2 evictions, wanted 90 %; no other backup is there$/);
  assert.match(rest?.hint ?? "", /^What fills it is no backup/);
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

Deno.test("capacity.items() evicts nothing more once the size of the place is not told any more", async () => {
  await using world = await full(90);
  const real = world.fs.space;
  world.fs.space = async (path) => onNas(world).length < 3 ? { free: NaN, total: 0 } : await real(path);
  assert.equal((await cleanup(world)).error?.code, "cleanup/no-size");
  assert.deepEqual(onNas(world), ["middle", "young"]);
});
