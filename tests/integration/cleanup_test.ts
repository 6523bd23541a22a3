/** `labferry cleanup run` on a small file system of its own, with the real program and a real S3 endpoint. */
import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { join } from "@std/path";
import { patternBytes } from "../../testing/doubles.ts";
import { bytesBelow, openSite, type Site } from "../kit/site.ts";
import { needsMount, smallNas } from "../kit/small_nas.ts";

const MIB = 2 ** 20;
const NAMES = ["study1", "study2", "study3", "study4", "study5"];

/** Five studies of 1 MiB are backed up to a NAS of 8 MiB, so that about 36 % of it is free. */
function nasTest(name: string, pct: number, test: (site: Site) => Promise<void>): void {
  const title = needsMount === undefined ? name : `${name} [${needsMount}]`;
  const fn = async () => {
    await using nas = await smallNas();
    await using site = await openSite({ nas: nas.path, config: `[cleanup]\nfree_threshold_pct = ${pct}\n` });
    for (const [index, study] of NAMES.entries()) {
      await site.study(study, { "Scan1/image.bin": patternBytes(MIB, index + 1), "note.txt": study });
    }
    const backup = await site.run();
    assert.equal(backup.code, 0, backup.stderr);
    await test(site);
  };
  // The client's agent closes its kept connections in its own time.
  Deno.test({ name: title, fn, ignore: needsMount !== undefined, sanitizeResources: false, sanitizeOps: false });
}

async function freePct(path: string): Promise<number> {
  const { bavail, blocks } = await statfs(path);
  return bavail / blocks * 100;
}

/** Names of the studies on the NAS; each of them is whole. */
async function onNas(site: Site): Promise<string[]> {
  const files = await bytesBelow(site.nas);
  const names = [...new Set([...files.keys()].map((path) => path.split("/")[0]))].sort();
  for (const name of names) {
    assert.equal(files.get(`${name}/Scan1/image.bin`)?.length, MIB, name);
    assert.ok(files.has(`${name}/note.txt`) && files.has(`${name}/_checksums.sha256`), name);
  }
  return names;
}

async function bucket(site: Site): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, size, etag } of site.store.list("fusion/study", AbortSignal.timeout(120_000))) {
    found.push(`${key} ${size} ${etag}`);
  }
  return found;
}

nasTest("a NAS that is short of space is freed of the oldest backups, and of not one more", 60, async (site) => {
  const before = await bucket(site);
  assert.ok(await freePct(site.nas) < 60);

  const plan = await site.run({ command: "cleanup", args: ["--dry-run"] });
  assert.equal(plan.code, 0, plan.stderr);
  assert.deepEqual(plan.report?.items.map(({ name }) => name), ["study1", "study2"]);
  for (const { note } of plan.report?.items ?? []) {
    assert.match(note ?? "", /^1\.0 MiB of \d{4}-\d\d-\d\d, then \d\d\.\d % free$/);
  }
  assert.deepEqual(await onNas(site), NAMES);

  const run = await site.run({ command: "cleanup" });
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(run.report?.items.map(({ name, outcome }) => [name, outcome]), [["study1", "done"], [
    "study2",
    "done",
  ]]);
  assert.deepEqual(await onNas(site), ["study3", "study4", "study5"]);
  assert.ok(await freePct(site.nas) >= 60);
  assert.deepEqual(await bucket(site), before);
  const record = await site.record("study2");
  assert.ok(record?.truenas_evicting_at && record.truenas_evicted_at);
  assert.equal((await site.record("study3"))?.truenas_evicting_at, null);

  const again = await site.run({ command: "cleanup" });
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(again.report?.items, []);
});

nasTest(
  "what was edited on the NAS, or is not whole in the bucket, stays; the next ones go; exit 1",
  70,
  async (site) => {
    await Deno.writeTextFile(join(site.nas, "study1", "note.txt"), "edited by hand");
    await site.store.delete("fusion/study2/note.txt", AbortSignal.timeout(120_000));
    const run = await site.run({ command: "cleanup" });
    assert.equal(run.code, 1, run.stderr);
    assert.deepEqual(run.report?.items.map(({ name, outcome, error }) => [name, outcome, error?.code]), [
      ["study1", "failed", "backup/folder-differs"],
      ["study2", "failed", "backup/object-missing"],
      ["study3", "done", undefined],
      ["study4", "done", undefined],
      ["study5", "done", undefined],
    ]);
    assert.deepEqual(await onNas(site), ["study1", "study2"]);
    assert.equal(await Deno.readTextFile(join(site.nas, "study1", "note.txt")), "edited by hand");
  },
);

nasTest("an eviction killed by SIGKILL goes on in the next run, and ends", 60, async (site) => {
  // As soon as the first file of a study is gone; watched before anything may remove it.
  using watcher = Deno.watchFs(join(site.nas, "study1"), { recursive: true });
  const child = site.start({ command: "cleanup" });
  const ended = child.output();
  await Promise.race([
    ended,
    (async () => {
      for await (const { kind, paths } of watcher) {
        if (kind === "remove" && paths.some((path) => !path.includes(".labferry"))) return;
      }
    })(),
  ]);
  try {
    child.kill("SIGKILL");
  } catch {
    // It was quicker.
  }
  await ended;
  const run = await site.run({ command: "cleanup" });
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(await onNas(site), ["study3", "study4", "study5"]);
  for (const name of ["study1", "study2"]) assert.ok((await site.record(name))?.truenas_evicted_at, name);
});
