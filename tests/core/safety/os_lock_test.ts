import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../../core/io/clock.ts";
import { withFileLock } from "../../../core/safety/os_lock.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

Deno.test("withFileLock() lets one in at a time and lets go after a failure", async () => {
  await using dir = await tempDir();
  const options = { fs: plainDisk(), path: join(dir.path, "lock"), clock: systemClock, waitMs: 120_000 };
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
  const options = { fs: plainDisk(), path: join(dir.path, "lock"), clock: systemClock, waitMs: 120_000 };
  const stop = new AbortController();
  await withFileLock(options, async () => {
    const waiting = withFileLock({ ...options, signal: stop.signal }, () => Promise.resolve());
    stop.abort(new Error("stop"));
    await assert.rejects(waiting, /stop/);
  });
});
