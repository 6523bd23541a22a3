import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../../core/io/clock.ts";
import type { FileStat } from "../../../core/io/file_system.ts";
import { isSameFile, withFileLock } from "../../../core/safety/os_lock.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

const STAT: FileStat = { kind: "file", dev: 1, ino: 2, size: 3, mtimeMs: 4, ctimeMs: 5, birthtimeMs: 6 };

Deno.test("S10 isSameFile() goes by device and inode where the system gives them", () => {
  assert.ok(isSameFile(STAT, { ...STAT, size: 9, mtimeMs: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, ino: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, dev: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, kind: "directory" }));
});

Deno.test("S10 isSameFile() goes by size and times for an open file of Windows", () => {
  for (const held of [{ ...STAT, ino: null, dev: null }, { ...STAT, ino: 0, dev: 0 }]) {
    assert.ok(isSameFile(held, STAT));
    assert.ok(!isSameFile(held, { ...STAT, size: 9 }));
    assert.ok(!isSameFile(held, { ...STAT, mtimeMs: 9 }));
  }
});

Deno.test("withFileLock() lets one in at a time and lets go after a failure", async () => {
  await using dir = await tempDir();
  const options = { fs: plainDisk(), path: join(dir.path, "lock"), clock: systemClock, waitMs: 30_000 };
  let inside = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 8 }, () =>
    withFileLock(options, async () => {
      most = Math.max(most, ++inside);
      await Deno.stat(dir.path);
      inside--;
    })));
  assert.equal(most, 1);
  await assert.rejects(withFileLock(options, () => Promise.reject(new Error("inside"))), /inside/);
  assert.equal(await withFileLock(options, () => Promise.resolve("again")), "again");
});

Deno.test("withFileLock() obeys its signal while it waits", async () => {
  await using dir = await tempDir();
  const options = { fs: plainDisk(), path: join(dir.path, "lock"), clock: systemClock, waitMs: 30_000 };
  const stop = new AbortController();
  await withFileLock(options, async () => {
    const waiting = withFileLock({ ...options, signal: stop.signal }, () => Promise.resolve());
    stop.abort(new Error("stop"));
    await assert.rejects(waiting, /stop/);
  });
});
