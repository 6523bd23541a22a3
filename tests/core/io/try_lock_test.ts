import assert from "node:assert/strict";
import { join } from "@std/path";
import { tryLock, tryLockSync } from "../../../core/io/try_lock.ts";
import { tempDir } from "../../kit/temp.ts";

/** Free locks are had at once, but for how busy the machine is. */
const LONG_MS = 120_000;

/** A file as a runtime has it that can only wait for a lock. */
const waiting = (file: Deno.FsFile) => ({ lock: () => file.lock(true), unlock: () => file.unlock() });

Deno.test("S10 tryLock() of a runtime that can only wait gives up in time, and leaves no lock that comes later", async () => {
  await using dir = await tempDir();
  const open = () => Deno.open(join(dir.path, "lock"), { create: true, read: true, write: true });
  using first = await open();
  using second = await open();
  using third = await open();
  assert.equal(await tryLock(waiting(first), LONG_MS), true);
  assert.equal(await tryLock(waiting(second), 20), false);
  await first.unlock();
  // The wait that was cut off has its turn, and lets go.
  assert.equal(await tryLock(waiting(third), LONG_MS), true);
  await third.unlock();
});

Deno.test("S10 tryLock() and tryLockSync() do not wait where the runtime need not", async () => {
  await using dir = await tempDir();
  const open = () => Deno.open(join(dir.path, "lock"), { create: true, read: true, write: true });
  using first = await open();
  using second = await open();
  assert.equal(await tryLock(first), true);
  assert.equal(await tryLock(second), false);
  assert.equal(tryLockSync(second), false);
  await first.unlock();
  assert.equal(tryLockSync(second), true);
  assert.equal(tryLockSync({}), false);
});
