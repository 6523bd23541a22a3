import assert from "node:assert/strict";
import { hostname } from "node:os";
import { join } from "@std/path";
import { acceptance, fates, type Lab, needsPosix, openLab, STUDY, study, tree } from "./_lab.ts";

const LOCK = ".labferry.lock";
/** No system gives out this number. */
const DEAD = 2 ** 22 + 1;

function holder(host: string, pid: number, since = "2025-01-01T00:00:00.000Z"): string {
  return `${JSON.stringify({ host, pid, started_at: since, run_name: "backup 01J" })}\n`;
}

async function left(lab: Lab, text: string): Promise<string> {
  const path = join(lab.source, STUDY, LOCK);
  await Deno.writeTextFile(path, text);
  return path;
}

/** Another program that holds a file's lock until it is told to let go. */
async function flocked(path: string): Promise<AsyncDisposable> {
  const child = new Deno.Command("flock", {
    args: ["-n", path, "sh", "-c", "echo held; cat"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "held\n");
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

acceptance(
  "S10 the lock of a dead process of this host is reclaimed with a warning, or found under refuse: exit 1",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const lock = await left(lab, holder(hostname(), DEAD));
    await lab.config(["settle_minutes = 0", `settle_minutes = 0\nstale_locks = "refuse"`]);
    const refused = await lab.report(["backup", "run"]);
    assert.deepEqual([refused.code, refused.report.error.code, refused.report.items], [1, "lock/found", []]);
    assert.match(refused.report.error.hint, new RegExp(`labferry unlock ${STUDY}`));
    assert.equal((await Deno.lstat(lock)).isFile, true);
    assert.deepEqual(await tree(lab.nas), [".labferry-place"]);
    await lab.config();
    const reclaimed = await lab.report(["backup", "run"]);
    assert.equal(reclaimed.code, 0, reclaimed.stderr);
    assert.match(reclaimed.stderr, /warn .*A lock that was left is reclaimed: its holder has ended: .*process 4194305/);
    assert.deepEqual(fates(reclaimed.report), [`${STUDY} done`]);
    assert.ok(!(await tree(lab.nas)).some((path) => path.endsWith(".lock")), "a lock is never copied");
    assert.ok(!(await lab.keys()).some((key) => key.endsWith(".lock")), "a lock is never uploaded");
  },
);

acceptance(
  "S10 a lock whose holder cannot be proved dead stops the run with exit 1, and unlock clears it when told",
  async () => {
    await using lab = await openLab();
    await study(lab);
    for (
      const [text, words] of [
        [holder("another-host", 1), /its holder is on another host: another-host, process 1, since 2025/],
        [holder(hostname(), Deno.pid, new Date().toISOString()), /a process of its number is alive/],
        ["no JSON at all", /its text names no host/],
      ] as const
    ) {
      const lock = await left(lab, text);
      const { code, report } = await lab.report(["backup", "run"]);
      assert.deepEqual([code, report.error.code, report.items], [1, "lock/unprovable", []], text);
      assert.match(report.error.message, words);
      // Nobody can be asked here, so nothing is removed.
      const asked = await lab.run(["unlock", STUDY]);
      assert.equal(asked.code, 1);
      assert.match(asked.stderr, /pass --yes/);
      assert.equal((await Deno.lstat(lock)).isFile, true);
      const told = await lab.run(["unlock", STUDY, "--yes"]);
      assert.equal(told.code, 0, told.stderr);
      assert.match(told.stdout, /is unlocked\n$/);
      await assert.rejects(Deno.lstat(lock), Deno.errors.NotFound);
    }
    assert.match((await lab.run(["unlock", STUDY, "-y"])).stdout, /is not locked/);
    assert.equal((await lab.run(["unlock", "20250131_no_such_study"])).code, 2);
    assert.equal((await lab.report(["backup", "run"])).code, 0);
  },
);

acceptance(
  "S10 S11 locks that another process holds: exit 1 for a study's, exit 2 for the NAS's; unlock never takes them",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const lock = await left(lab, holder("another-host", 1));
    {
      await using _held = await flocked(lock);
      const { code, report } = await lab.report(["backup", "run"]);
      assert.deepEqual([code, report.error.code, report.items], [1, "lock/held", []]);
      const forced = await lab.run(["unlock", STUDY, "--yes"]);
      assert.equal(forced.code, 1);
      assert.match(forced.stdout, /is locked: held by/);
      assert.equal((await Deno.lstat(lock)).isFile, true);
    }
    await Deno.remove(lock);
    const cleanup = join(lab.nas, ".cleanup.lock");
    await Deno.writeTextFile(cleanup, "");
    {
      await using _held = await flocked(cleanup);
      const { code, report, stderr } = await lab.report(["backup", "run"]);
      assert.deepEqual([code, report.error.code, report.items], [2, "lock/run-held", []]);
      assert.match(stderr, /what to do: Wait until that run has ended/);
      assert.deepEqual(await tree(lab.nas), [".cleanup.lock", ".labferry-place"]);
      assert.deepEqual(await tree(lab.manifests), [".labferry-place"]);
    }
    // The command that the message names works as it is written.
    await Deno.writeTextFile(cleanup, holder("another-host", 1));
    const { report } = await lab.report(["backup", "run"]);
    const [, ...words] = /labferry (unlock .*)$/.exec(report.error.hint)?.[1].split(" ") ?? [];
    const unlocked = await lab.run(["unlock", ...words, "--yes"]);
    assert.equal(unlocked.code, 0, unlocked.stderr);
    assert.equal((await lab.report(["backup", "run"])).code, 0);
  },
  needsPosix,
);

acceptance("S11 two runs at once: the second ends with exit 2 and touches nothing, the first completes", async () => {
  await using lab = await openLab();
  await study(lab);
  await lab.pipeline("backup", (shipped) =>
    shipped.replace(
      "# Copies and hashes in one pass.",
      '[[stage]]\nuse = "hook"\nwith = { argv = ["sh", "-c", "echo at work; while [ ! -e go ]; do sleep 0.05; done"] }\n\n# Copies',
    ));
  const first = lab.start(["backup", "run", "--json"]);
  await first.says(/at work/);
  const lock = JSON.parse(await Deno.readTextFile(join(lab.source, STUDY, LOCK)));
  assert.deepEqual(Object.keys(lock), ["host", "pid", "started_at", "run_name"]);
  assert.deepEqual([lock.host, lock.pid, lock.run_name], [hostname(), first.pid, STUDY]);
  const second = await lab.report(["backup", "run"]);
  assert.deepEqual([second.code, second.report.error.code, second.report.items], [2, "lock/run-held", []]);
  await Deno.writeTextFile(lab.at("go"), "");
  const { code, stdout, stderr } = await first.ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(fates(JSON.parse(stdout)), [`${STUDY} done`]);
  assert.equal((await lab.run(["manifest", "verify", lab.manifests])).code, 0);
}, needsPosix);
