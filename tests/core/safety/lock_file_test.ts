import assert from "node:assert/strict";
import { join } from "@std/path";
import type { FileSystem } from "../../../core/io/file_system.ts";
import type { ProcessLife } from "../../../core/io/process_info.ts";
import { LOCK_NAME } from "../../../core/io/names.ts";
import { checkLocks, scanLocks } from "../../../core/safety/check_locks.ts";
import { type LockOptions, RUN_LOCK_NAME, RunLock, StudyLock } from "../../../core/safety/lock_file.ts";
import { inspectLock, removeDeadLock } from "../../../core/safety/inspect_lock.ts";
import { type LockHolder } from "../../../core/safety/lock_judgement.ts";
import type { Clock, Logger } from "../../../core/ports.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

const fs = plainDisk();
const STARTED = "2026-03-01T02:00:00.000Z";
const HOLDER: LockHolder = { host: "scope-1", pid: 4711, started_at: STARTED, run_name: "backup 01J" };

function options(more: Partial<LockOptions> & { life?: ProcessLife; warnings?: string[] } = {}): LockOptions {
  const { life = { alive: false }, warnings = [], ...rest } = more;
  const ignore = () => {};
  const log: Logger = { debug: ignore, info: ignore, error: ignore, warn: (message) => void warnings.push(message) };
  const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };
  return {
    host: "scope-1",
    pid: 1,
    startedAt: STARTED,
    runName: "backup 01K",
    staleLocks: "reclaim",
    processes: { isAlive: () => Promise.resolve(life) },
    log,
    clock,
    ...rest,
  };
}

async function study(): Promise<{ root: string; path: string; file: string } & AsyncDisposable> {
  const dir = await tempDir();
  const path = join(dir.path, "study");
  await Deno.mkdir(path);
  return {
    root: dir.path,
    path,
    file: join(path, LOCK_NAME),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

const left = (file: string, holder: Partial<LockHolder> = {}) =>
  Deno.writeTextFile(file, JSON.stringify({ ...HOLDER, ...holder }));
const absent = async (file: string) => await fs.lstat(file) === undefined;

Deno.test("S10 StudyLock.acquire() writes who holds it and release() removes it", async () => {
  await using at = await study();
  {
    await using lock = await StudyLock.acquire(fs, at.path, options());
    const text = await Deno.readTextFile(at.file);
    assert.deepEqual(JSON.parse(text), { host: "scope-1", pid: 1, started_at: STARTED, run_name: "backup 01K" });
    await lock.assertHeld();
  }
  assert.ok(await absent(at.file));
});

Deno.test("S10 StudyLock.acquire() says who holds the study and stops the run with 1", async () => {
  await using at = await study();
  await using _lock = await StudyLock.acquire(fs, at.path, options({ host: "other", pid: 7 }));
  await assert.rejects(StudyLock.acquire(fs, at.path, options()), (error: Error & { [key: string]: unknown }) => {
    assert.deepEqual([error.code, error.stopsRun], ["lock/held", 1]);
    assert.match(error.message, /"study".*other, process 7, since 2026-03-01T02:00:00.000Z \(backup 01K\)/);
    assert.match(String(error.hint), /labferry unlock study/);
    return true;
  });
  assert.equal(JSON.parse(await Deno.readTextFile(at.file)).pid, 7);
});

Deno.test("S10 a lock whose holder is proved dead is reclaimed with a warning", async () => {
  const later = Date.parse(STARTED) + 60_000;
  const cases: [string, Partial<LockHolder>, ProcessLife][] = [
    ["no such process", {}, { alive: false }],
    ["the number was used again", {}, { alive: true, startedAtMs: later }],
    ["the number is our own", { pid: 1 }, { alive: true }],
    ["host in other case", { host: "SCOPE-1" }, { alive: false }],
  ];
  for (const [what, holder, life] of cases) {
    await using at = await study();
    await left(at.file, holder);
    const warnings: string[] = [];
    await using lock = await StudyLock.acquire(fs, at.path, options({ life, warnings }));
    await lock.assertHeld();
    assert.equal(JSON.parse(await Deno.readTextFile(at.file)).run_name, "backup 01K", what);
    assert.match(warnings.join(), /A lock that was left is reclaimed/, what);
  }
});

Deno.test("S22 a lock left between its making and its text does not wait for ever", async () => {
  for (const text of ["", "\0\0\0\0"]) {
    await using at = await study();
    await Deno.writeTextFile(at.file, text);
    const warnings: string[] = [];
    await using _lock = await StudyLock.acquire(fs, at.path, options({ warnings }));
    assert.equal(warnings.length, 1);
  }
});

Deno.test("S10 a lock whose holder cannot be proved dead stops the run under both policies and stays", async () => {
  const cases: [Partial<LockHolder> | string, ProcessLife, RegExp][] = [
    [{ host: "scope-2" }, { alive: false }, /its holder is on another host: scope-2, process 4711/],
    [{}, { alive: true }, /a process of its number is alive/],
    [{}, { alive: true, startedAtMs: Date.parse(STARTED) - 1000 }, /is alive/],
    [{ started_at: "?" }, { alive: true, startedAtMs: Date.parse(STARTED) }, /is alive/],
    ["half a lo", { alive: false }, /names no host/],
    ['{"host":"scope-1"', { alive: false }, /names no host/],
  ];
  for (const staleLocks of ["reclaim", "refuse"] as const) {
    for (const [holder, life, wanted] of cases) {
      await using at = await study();
      if (typeof holder === "string") await Deno.writeTextFile(at.file, holder);
      else await left(at.file, holder);
      const before = await Deno.readTextFile(at.file);
      await assert.rejects(
        StudyLock.acquire(fs, at.path, options({ life, staleLocks })),
        (error: Error & { [key: string]: unknown }) => {
          assert.deepEqual([error.code, error.stopsRun], ["lock/unprovable", 1]);
          assert.match(error.message, wanted);
          return true;
        },
      );
      assert.equal(await Deno.readTextFile(at.file), before);
    }
  }
});

Deno.test("S10 with stale_locks = refuse any lock found stops the run with 1 and stays", async () => {
  await using at = await study();
  await left(at.file);
  await assert.rejects(StudyLock.acquire(fs, at.path, options({ staleLocks: "refuse" })), {
    code: "lock/found",
    stopsRun: 1,
  });
  assert.deepEqual(JSON.parse(await Deno.readTextFile(at.file)), HOLDER);
  await Deno.remove(at.file);
  await using _lock = await StudyLock.acquire(fs, at.path, options({ staleLocks: "refuse" }));
});

Deno.test("S10 a lock file removed under its holder lets nobody else destroy its successor", async () => {
  await using at = await study();
  await using first = await StudyLock.acquire(fs, at.path, options({ pid: 1 }));
  await Deno.remove(at.file);
  await using second = await StudyLock.acquire(fs, at.path, options({ pid: 2 }));
  await assert.rejects(first.assertHeld(), { code: "lock/lost" });
  await first.release();
  await second.assertHeld();
  assert.equal(JSON.parse(await Deno.readTextFile(at.file)).pid, 2);
});

Deno.test("S10 StudyLock.acquire() tries again when the file it locked was removed meanwhile", async () => {
  await using at = await study();
  let removals = 2;
  const racing: FileSystem = {
    ...fs,
    async openReadWrite(path) {
      const handle = await fs.openReadWrite(path);
      if (removals-- > 0) await Deno.remove(path);
      return handle;
    },
  };
  await using lock = await StudyLock.acquire(racing, at.path, options());
  await lock.assertHeld();
  assert.ok(removals <= 0);
});

const coded = (code: string) => Object.assign(new Error(code), { code });

Deno.test("S10 StudyLock.acquire() waits while the name of a removed lock still refuses every open", async () => {
  await using at = await study();
  let refusals = 3;
  const refusing = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) =>
    refusals-- > 0 ? Promise.reject<R>(coded("EPERM")) : call(...args);
  const vanishing: FileSystem = {
    ...fs,
    lstat: refusing(fs.lstat.bind(fs)),
    openReadWrite: refusing(fs.openReadWrite.bind(fs)),
  };
  await using lock = await StudyLock.acquire(vanishing, at.path, options());
  await lock.assertHeld();
  assert.ok(refusals < 0);
});

Deno.test("S10 StudyLock.acquire() says that access is denied when it stays so", async () => {
  await using at = await study();
  const denied: FileSystem = { ...fs, openReadWrite: () => Promise.reject(coded("EACCES")) };
  await assert.rejects(StudyLock.acquire(denied, at.path, options()), { code: "io/denied" });
});

Deno.test("S10 inspectLock() waits for a lock that is being removed, and finds none", async () => {
  await using at = await study();
  await left(at.file);
  let refusals = 2;
  const vanishing: FileSystem = {
    ...fs,
    async openRead(path, how) {
      if (refusals-- > 0) throw coded("EBUSY");
      await Deno.remove(path);
      return await fs.openRead(path, how);
    },
  };
  assert.equal((await inspectLock(vanishing, at.file, options())).state, "free");
});

/** NFS: a handle that may not write cannot be locked. */
function onNfs(more: Partial<FileSystem> = {}): FileSystem {
  return {
    ...fs,
    async openRead(path, how) {
      const handle = await fs.openRead(path, how);
      return { ...handle, tryLock: () => Promise.reject(coded("EBADF")) };
    },
    ...more,
  };
}

Deno.test("S10 inspectLock() judges a lock on NFS, which locks only what may be written", async () => {
  await using at = await study();
  assert.equal((await inspectLock(onNfs(), at.file, options())).state, "free");
  await left(at.file);
  const before = await Deno.readTextFile(at.file);
  assert.equal((await inspectLock(onNfs(), at.file, options())).state, "dead");
  assert.equal(await Deno.readTextFile(at.file), before);
  await Deno.remove(at.file);
  await using _lock = await StudyLock.acquire(fs, at.path, options());
  assert.equal((await inspectLock(onNfs(), at.file, options())).state, "held");
});

Deno.test("S10 inspectLock() takes a lock on NFS that it may not write for one that nobody can prove", async () => {
  await using at = await study();
  await left(at.file);
  for (const code of ["EACCES", "EROFS", "EBADF"]) {
    const denied = onNfs({ openReadWrite: () => Promise.reject(coded(code)) });
    const looked = inspectLock(denied, at.file, options());
    if (code === "EBADF") await assert.rejects(looked);
    else assert.equal((await looked).state, "unprovable", code);
  }
  const neither = onNfs({ openReadWrite: (path) => onNfs().openRead(path) });
  assert.equal((await inspectLock(neither, at.file, options())).state, "unprovable");
});

Deno.test("S10 inspectLock() makes no file in place of a lock that goes while it is looked at", async () => {
  await using at = await study();
  await left(at.file);
  const going = onNfs({
    async openReadWrite(path, how) {
      await Deno.remove(path);
      return await fs.openReadWrite(path, how);
    },
  });
  assert.equal((await inspectLock(going, at.file, options())).state, "free");
  await assert.rejects(Deno.lstat(at.file), Deno.errors.NotFound);
});

Deno.test("S10 a held lock that nobody else may read, as on Windows, says so", async () => {
  await using at = await study();
  await using _lock = await StudyLock.acquire(fs, at.path, options());
  const unreadable: FileSystem = { ...fs, readText: () => Promise.reject(coded("EBUSY")) };
  await assert.rejects(
    StudyLock.acquire(unreadable, at.path, options()),
    (error: Error & { [key: string]: unknown }) => {
      assert.deepEqual([error.code, error.stopsRun], ["lock/held", 1]);
      assert.match(error.message, /held by another process; while it is, this system lets nobody read by whom$/);
      assert.match(String(error.hint), /list of open files.*\.labferry\.lock/);
      return true;
    },
  );
  assert.equal((await inspectLock(unreadable, at.file, options())).state, "held");
});

Deno.test("S10 release() twice, or after the study's folder is gone, is no error", async () => {
  await using at = await study();
  const lock = await StudyLock.acquire(fs, at.path, options());
  await Deno.remove(at.path, { recursive: true });
  await lock.release();
  await lock.release();
  await assert.rejects(lock.assertHeld(), { code: "lock/lost" });
});

Deno.test("S10 of many that want one study at once exactly one gets it", async () => {
  await using at = await study();
  const wanted = Array.from({ length: 12 }, (_, i) => StudyLock.acquire(fs, at.path, options({ pid: i + 1 })));
  const results = await Promise.allSettled(wanted);
  const got = results.filter((result) => result.status === "fulfilled");
  assert.equal(got.length, 1);
  await got[0].value.release();
});

const HOLD = `
  const file = await Deno.open(Deno.args[0], { read: true, write: true, create: true });
  if (!await file.tryLock(true)) Deno.exit(9);
  await file.write(new TextEncoder().encode(JSON.stringify({
    host: "scope-1", pid: Deno.pid, started_at: new Date().toISOString(), run_name: "child" })));
  console.log("locked");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
`;

Deno.test("S10 S22 a process that holds a lock is respected until kill -9, and reclaimed after", async () => {
  await using at = await study();
  const script = join(at.root, "hold.ts");
  await Deno.writeTextFile(script, HOLD);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, at.file],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const { systemProcesses } = await import("../../../core/io/process_info.ts");
  const real = options({ processes: systemProcesses, pid: Deno.pid });
  await assert.rejects(StudyLock.acquire(fs, at.path, real), { code: "lock/held" });
  assert.equal((await inspectLock(fs, at.file, real)).state, "held");
  assert.equal((await removeDeadLock(fs, at.file, { ...real, force: true })).removed, false);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  const found = await inspectLock(fs, at.file, real);
  assert.deepEqual([found.state, found.holder?.run_name], ["dead", "child"]);
  await using lock = await StudyLock.acquire(fs, at.path, real);
  await lock.assertHeld();
});

Deno.test("inspectLock() makes no file and leaves the lock it looks at", async () => {
  await using at = await study();
  assert.equal((await inspectLock(fs, at.file, options())).state, "free");
  assert.ok(await absent(at.file));
  await left(at.file);
  assert.equal((await inspectLock(fs, at.file, options())).state, "dead");
  assert.equal((await inspectLock(fs, at.file, options({ life: { alive: true } }))).state, "unprovable");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(at.file)), HOLDER);
});

Deno.test("removeDeadLock() removes a dead lock, and one nobody can prove only by force", async () => {
  await using at = await study();
  await left(at.file, { host: "scope-2" });
  const kept = await removeDeadLock(fs, at.file, options());
  assert.deepEqual([kept.state, kept.removed], ["unprovable", false]);
  const forced = await removeDeadLock(fs, at.file, { ...options(), force: true });
  assert.deepEqual([forced.state, forced.removed], ["unprovable", true]);
  await left(at.file);
  assert.equal((await removeDeadLock(fs, at.file, options())).removed, true);
  assert.ok(await absent(at.file));
  assert.deepEqual(await removeDeadLock(fs, at.file, options()), {
    state: "free",
    why: "there is no lock",
    removed: false,
  });
});

Deno.test("scanLocks() finds locks in the studies directly below, in byte order, without following links", async () => {
  await using dir = await tempDir();
  for (const name of ["b", "a", "none", "deep/er"]) await Deno.mkdir(join(dir.path, name), { recursive: true });
  for (const name of ["b", "a", "deep/er", "."]) await left(join(dir.path, name, LOCK_NAME));
  await Deno.symlink(join(dir.path, "a"), join(dir.path, "link"));
  const found = [];
  for await (const { study } of scanLocks(fs, dir.path)) found.push(study);
  assert.deepEqual(found, ["a", "b"]);
});

Deno.test("S10 checkLocks() warns of dead locks, and stops for others or when told to refuse", async () => {
  await using at = await study();
  const warnings: string[] = [];
  await checkLocks(fs, at.root, options({ warnings }));
  assert.deepEqual(warnings, []);
  await left(at.file);
  await checkLocks(fs, at.root, options({ warnings }));
  assert.match(warnings[0], /^"study" holds a lock that was left/);
  await assert.rejects(checkLocks(fs, at.root, options({ staleLocks: "refuse" })), { code: "lock/found", stopsRun: 1 });
  await assert.rejects(checkLocks(fs, at.root, options({ life: { alive: true } })), { code: "lock/unprovable" });
  await Deno.remove(at.file);
  await using _held = await StudyLock.acquire(fs, at.path, options());
  await assert.rejects(checkLocks(fs, at.root, options()), { code: "lock/held", stopsRun: 1 });
});

Deno.test("S11 RunLock.acquire() ends a second run at the same NAS with 2", async () => {
  await using dir = await tempDir();
  await using first = await RunLock.acquire(fs, dir.path, options());
  assert.equal(first.path, join(dir.path, RUN_LOCK_NAME));
  await assert.rejects(RunLock.acquire(fs, dir.path, options()), { code: "lock/run-held", stopsRun: 2 });
  await first.release();
  await using _second = await RunLock.acquire(fs, dir.path, options());
});
