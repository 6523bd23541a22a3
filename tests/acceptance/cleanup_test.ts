/** `labferry cleanup run` from outside: what it prints, and which exit codes it ends with. */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { openLab, STUDY, study, tree } from "./_lab.ts";

const OTHER = "20250201_ada_kidney_b2";

/** A whole laboratory as processes: the client's agent closes its kept connections in its own time. */
function labTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeResources: false, sanitizeOps: false });
}

const threshold = (pct: number) => `\n[cleanup]\nfree_threshold_pct = ${pct}\n`;

labTest(
  "cleanup run evicts from the NAS, keeps the bucket, and says what is free; run and plan know it too",
  async () => {
    await using lab = await openLab();
    await lab.config(threshold(100));
    await study(lab);
    await study(lab, OTHER);
    assert.equal((await lab.run(["backup", "run"])).code, 0);
    const keys = (await lab.keys()).filter((key) => !key.includes("_manifests"));

    const lint = await lab.run(["lint", "cleanup"]);
    assert.equal(lint.code, 0, lint.stdout + lint.stderr);

    const dry = await lab.run(["cleanup", "run", "--dry-run"]);
    assert.equal(dry.code, 1, "a NAS that holds anything is never free by 100 %");
    assert.match(dry.stdout, new RegExp(`planned +${STUDY} \\(.* of .*, then .* % free\\)[^]*planned +${OTHER} \\(`));
    const plan = await lab.run(["plan", "cleanup"]);
    assert.match(plan.stdout, /prove 4 files from .* at s3 \(4 files, [^]*evict +evict 4 files from/);
    assert.ok((await tree(lab.nas)).some((path) => path.startsWith(STUDY)));

    const { code, report, stderr } = await lab.report(["cleanup", "run", "--only", STUDY]);
    assert.deepEqual([code, report.error.code], [1, "cleanup/not-enough"], stderr);
    assert.deepEqual(report.items.map((item: { name: string; outcome: string }) => [item.name, item.outcome]), [
      [STUDY, "done"],
    ]);
    const left = (await tree(lab.nas)).filter((path) => !path.startsWith(".labferry"));
    assert.ok(left.length > 0 && left.every((path) => path.startsWith(`${OTHER}/`)), left.join());
    assert.deepEqual((await lab.keys()).filter((key) => !key.includes("_manifests")), keys);
    const last = (await lab.ledger()).at(-1);
    assert.deepEqual([last.backup_name, last.status, typeof last.truenas_evicted_at], [STUDY, "complete", "string"]);
    const chain = await lab.run(["manifest", "verify", lab.manifests]);
    assert.equal(chain.code, 0, chain.stdout);

    // Enough is free: nothing is touched.
    await lab.config(threshold(0));
    const idle = await lab.report(["run", "cleanup"]);
    assert.deepEqual([idle.code, idle.report.items], [0, []]);
  },
);

labTest("cleanup run ends with 2 without a mark on the NAS, without a ledger and in an unsafe order", async () => {
  await using lab = await openLab();
  await lab.config(threshold(100));
  await study(lab);
  assert.equal((await lab.run(["backup", "run"])).code, 0);
  const before = await tree(lab.nas);

  const shipped = await Deno.readTextFile(new URL("../../pipelines/cleanup.toml", import.meta.url));
  await Deno.writeTextFile(lab.at("pipelines", "cleanup.toml"), shipped.replace(/\[\[stage\]\]\nuse = "lock"\n/, ""));
  const unsafe = await lab.run(["cleanup", "run"]);
  assert.equal(unsafe.code, 2);
  assert.match(unsafe.stderr, /safety\/destroy-unlocked/);
  await Deno.remove(lab.at("pipelines", "cleanup.toml"));

  await lab.config(['manifest_root = "manifests"\n', ""], threshold(100));
  assert.equal((await lab.run(["cleanup", "run"])).code, 2);
  await lab.config(threshold(100));

  await Deno.rename(join(lab.nas, ".labferry-place"), join(lab.path, "mark"));
  const { code, report } = await lab.report(["cleanup", "run"]);
  assert.deepEqual([code, report.error.code], [2, "place/not-marked"]);
  await Deno.rename(join(lab.path, "mark"), join(lab.nas, ".labferry-place"));
  assert.deepEqual(await tree(lab.nas), before);
});

labTest("a lock that a cleanup left on another host stops the run; the command it names clears it", async () => {
  await using lab = await openLab();
  await lab.config(threshold(100));
  await study(lab);
  assert.equal((await lab.run(["backup", "run"])).code, 0);
  const lock = join(lab.nas, STUDY, ".labferry.lock");
  const holder = { host: "another-host", pid: 1, started_at: "2026-01-01T00:00:00.000Z", run_name: STUDY };
  await Deno.writeTextFile(lock, JSON.stringify(holder));
  const { code, report } = await lab.report(["cleanup", "run"]);
  assert.deepEqual([code, report.error.code], [1, "lock/unprovable"]);
  const [, ...words] = /labferry (unlock .*)$/.exec(report.error.hint)?.[1].split(" ") ?? [];
  const unlocked = await lab.run(["unlock", ...words, "--yes"]);
  assert.equal(unlocked.code, 0, unlocked.stderr);
  assert.deepEqual(
    (await lab.report(["cleanup", "run"])).report.items.map(({ outcome }: { outcome: string }) => outcome),
    [
      "done",
    ],
  );
});
