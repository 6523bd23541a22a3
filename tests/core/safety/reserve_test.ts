import assert from "node:assert/strict";
import type { SpaceInfo } from "../../../core/io/file_system.ts";
import { ioError } from "../../../core/io/io_errors.ts";
import { makeReserve, RESERVE_NAME, Reserves } from "../../../core/safety/reserve.ts";
import { instantClock, memoryLog } from "../../../testing/doubles.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";
import { type Seed, systemError } from "../../../testing/memory_types.ts";

const KIB = 2 ** 10, MIB = 2 ** 20;
const ROOT = "/nas/backups";
const RESERVE = `${ROOT}/${RESERVE_NAME}`;

/** A root on a disk of this size, all of it free. */
function disk(capacity: number): MemoryFileSystem {
  const fs = new MemoryFileSystem({ now: () => 0, mounts: { "/nas": { capacity } } });
  fs.seed({ [`${ROOT}/`]: "" });
  return fs;
}

const reserves = (fs: MemoryFileSystem) =>
  new Reserves({ fs, clock: instantClock(), log: memoryLog(), signal: new AbortController().signal }, [
    { path: ROOT, check: () => Promise.resolve() },
  ]);
const full = () => ioError(systemError("ENOSPC", ROOT), { verb: "lock", path: ROOT });
const size = (fs: MemoryFileSystem) => fs.disk.lstat(RESERVE)?.size;
/** What the system says of a disk that cannot be made in memory. */
const says = (fs: MemoryFileSystem, space: SpaceInfo) => fs.space = () => Promise.resolve(space);

Deno.test("makeReserve() sets a thousandth aside, 64 KiB to 1 MiB, once and where there is room", async () => {
  for (
    const [total, free, wanted] of [
      [8 * MIB, 4 * MIB, 64 * KIB],
      [8 * MIB, MIB - 1, undefined],
      [500 * MIB, 100 * MIB, 512 * KIB + 12],
      [2 ** 40, 2 ** 30, MIB],
      [2 ** 40, 15 * MIB, undefined],
      [0, 0, undefined],
    ] as const
  ) {
    const fs = disk(64 * MIB);
    says(fs, { total, free });
    const made = await makeReserve(fs, ROOT);
    assert.equal(made, wanted !== undefined);
    assert.ok(wanted === undefined ? size(fs) === undefined : Math.abs(size(fs)! - wanted) < KIB * 13, `${size(fs)}`);
    assert.equal(await makeReserve(fs, ROOT), false);
  }
});

Deno.test("makeReserve() makes an unfinished one anew, and touches nothing else under its name", async () => {
  const fs = disk(8 * MIB);
  fs.seed({ [RESERVE]: "begun" });
  assert.equal(await makeReserve(fs, ROOT), true);
  assert.equal(size(fs), 64 * KIB);
  const others: Seed[] = [{ [`${RESERVE}/x`]: "x" }, { [RESERVE]: { link: "/nas/elsewhere" } }];
  for (const other of others) {
    const fs = disk(8 * MIB);
    fs.seed(other);
    const before = JSON.stringify(fs.tree("/nas"));
    assert.equal(await makeReserve(fs, ROOT), false);
    says(fs, { total: 8 * MIB, free: 0 });
    await assert.rejects(reserves(fs).write(() => Promise.reject(full())), { code: "place/full" });
    assert.equal(JSON.stringify(fs.tree("/nas")), before);
  }
});

Deno.test("makeReserve() leaves nothing of a reserve that could not be written", async () => {
  const fs = disk(8 * MIB);
  fs.fault = ({ operation, path }) => {
    if (operation === "sync") throw systemError("ENOSPC", path);
  };
  await assert.rejects(makeReserve(fs, ROOT), { code: "ENOSPC" });
  assert.equal(size(fs), undefined);
});

Deno.test("Reserves.write() lets the reserve go before a write that may fail, and for one that fails under a quota", async () => {
  {
    const fs = disk(8 * MIB);
    await makeReserve(fs, ROOT);
    says(fs, { total: 8 * MIB, free: 15 * KIB });
    assert.equal(await reserves(fs).write(() => Promise.resolve(size(fs))), undefined);
  }
  const fs = disk(8 * MIB);
  await makeReserve(fs, ROOT);
  let tries = 0;
  // What goes is free only after a while.
  const write = () => ++tries < 3 ? Promise.reject(full()) : Promise.resolve(size(fs));
  assert.equal(await reserves(fs).write(write), undefined);
  assert.equal(tries, 3);
});

Deno.test("Reserves.write() keeps the reserve for a full disk, and passes on what it cannot help", async () => {
  const fs = disk(8 * MIB);
  await makeReserve(fs, ROOT);
  const denied = ioError(systemError("EACCES", ROOT), { verb: "lock", path: ROOT });
  await assert.rejects(reserves(fs).write(() => Promise.reject(denied)), { code: "io/denied" });
  assert.equal(size(fs), 64 * KIB);
  fs.disk.removeFile(RESERVE);
  await assert.rejects(reserves(fs).write(() => Promise.reject(full())), { code: "io/disk-full" });
});

Deno.test("Reserves.restore() makes again what a run let go in vain, so that the next one can begin", async () => {
  for (const written of [0, 8 * KIB, 56 * KIB]) {
    const fs = disk(8 * MIB);
    await makeReserve(fs, ROOT);
    fs.seed({ "/nas/fill": new Uint8Array((await fs.space(ROOT)).free) });
    const tonight = reserves(fs);
    await tonight.write(() => Promise.resolve());
    assert.equal(size(fs), undefined);
    fs.seed({ [`${ROOT}/lines`]: new Uint8Array(written) });
    const left = (await fs.space(ROOT)).free;
    await tonight.restore();
    // Less than is needed for a lock would be no reserve.
    assert.equal(size(fs), left >= 16 * KIB ? Math.min(left, 64 * KIB) : undefined);
    fs.seed({ "/nas/backups/next": new Uint8Array((await fs.space(ROOT)).free) });
    const next = reserves(fs).assertRoom();
    if (left >= 16 * KIB) await next;
    else await assert.rejects(next, { code: "place/full" });
  }
});

Deno.test("Reserves.restore() sets space aside again where it is marked and has room, and fails nothing", async () => {
  const fs = disk(8 * MIB);
  await reserves(fs).restore();
  assert.equal(size(fs), 64 * KIB);
  const log = memoryLog();
  const other = { path: ROOT, check: () => Promise.reject(new Error("its marker is gone")) };
  fs.disk.removeFile(RESERVE);
  await new Reserves({ fs, clock: instantClock(), log, signal: new AbortController().signal }, [other]).restore();
  assert.equal(size(fs), undefined);
  assert.match(log.lines[0].message, /its marker is gone/);
});
