/** `labferry cleanup run` on a NAS without a single free block: a real one, filled to the last. */
import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { join } from "@std/path";
import { Disk } from "../../core/io/disk.ts";
import { foldLedger, ledgerMonths } from "../../core/ledger/fold.ts";
import { verifyChain } from "../../core/ledger/verify_chain.ts";
import { RESERVE_NAME } from "../../core/safety/reserve.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { command, needsMount, smallNas } from "../kit/small_nas.ts";
import { bytesBelow, openSite, type Site } from "../kit/site.ts";

const MIB = 2 ** 20;
const NAMES = ["study1", "study2", "study3", "study4", "study5"];

interface FullSite {
  site: Site;
  /** Where the file system is mounted. */
  mount: string;
  /** Path of the file that fills it. */
  filler: string;
}

/** Five studies of 1 MiB are on a NAS of 8 MiB, and then something else takes the rest. */
function fullTest(name: string, { ledgerToo }: { ledgerToo: boolean }, test: (full: FullSite) => Promise<void>): void {
  const title = needsMount === undefined ? name : `${name} [${needsMount}]`;
  const fn = async () => {
    await using nas = await smallNas();
    const folder = (of: string) => join(nas.path, of);
    await using site = await openSite({
      nas: folder("backups"),
      ...ledgerToo ? { manifests: folder("manifests") } : {},
      config: "[cleanup]\nfree_threshold_pct = 20\n",
    });
    for (const [index, study] of NAMES.entries()) {
      await site.study(study, { "Scan1/image.bin": patternBytes(MIB, index + 1), "note.txt": study });
    }
    const backup = await site.run();
    assert.equal(backup.code, 0, backup.stderr);
    await fill(folder("filler"));
    assert.equal((await statfs(nas.path)).bavail, 0);
    await test({ site, mount: nas.path, filler: folder("filler") });
  };
  Deno.test({ name: title, fn, ignore: needsMount !== undefined, sanitizeResources: false, sanitizeOps: false });
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true, append: true });
  const block = new Uint8Array(4096).fill(7);
  try {
    for (;;) await file.write(block);
  } catch {
    // Not a block is left.
  }
}

async function onNas(site: Site): Promise<string[]> {
  return [...new Set([...(await bytesBelow(site.nas)).keys()].map((path) => path.split("/")[0]))].sort();
}

const reserves = async (site: Site) => {
  const sizes = [];
  for (const root of [site.nas, site.manifests]) {
    sizes.push(await Deno.stat(join(root, RESERVE_NAME)).then(({ size }) => size, () => 0));
  }
  return sizes;
};

for (const ledgerToo of [false, true]) {
  const where = ledgerToo ? ", the ledger's folder on the same" : "";
  fullTest(`S11 S12 a NAS without a free block is cleaned in its reserve${where}`, { ledgerToo }, async ({ site }) => {
    const plan = await site.run({ command: "cleanup", args: ["--dry-run"] });
    assert.equal(plan.code, 0, plan.stderr);
    assert.deepEqual(plan.report?.items.map(({ name }) => name), ["study1", "study2"]);
    assert.match(plan.report?.items[0].note ?? "", /then 1\d\.\d % free$/);

    const run = await site.run({ command: "cleanup" });
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(run.report?.items.map(({ name, outcome }) => [name, outcome]), [
      ["study1", "done"],
      ["study2", "done"],
    ]);
    assert.deepEqual(await onNas(site), ["study3", "study4", "study5"]);
    assert.ok((await site.record("study2"))?.truenas_evicted_at);
    const sizes = await reserves(site);
    assert.deepEqual([sizes[0], sizes[1] >= 65_536], [65_536, true], "set aside again");
    const disk = new Disk();
    try {
      const { records, torn } = await foldLedger(disk, site.manifests);
      assert.deepEqual([records.size, torn], [5, []]);
      for (const month of await ledgerMonths(disk, site.manifests)) {
        assert.equal((await verifyChain(disk, join(site.manifests, month))).broken, undefined);
      }
    } finally {
      await disk[Symbol.asyncDispose]?.();
    }
    assert.deepEqual((await Array.fromAsync(Deno.readDir(site.nas))).filter(({ name }) => name.endsWith(".lock")), []);
  });

  fullTest(
    `S17 a NAS without a free block and without a reserve is left as it is, and a dry run says so${where}`,
    { ledgerToo },
    async ({ site, mount, filler }) => {
      for (const root of [site.nas, ...ledgerToo ? [site.manifests] : []]) await Deno.remove(join(root, RESERVE_NAME));
      await fill(filler);
      const before = await Array.fromAsync(Deno.readDir(site.nas), ({ name }) => name);
      for (const args of [["--dry-run"], [], []]) {
        const run = await site.run({ command: "cleanup", args });
        assert.deepEqual([run.code, run.report?.error?.code], [1, "place/full"], run.stderr);
        assert.match(run.report?.error?.hint ?? "", /Make room by hand/);
        assert.deepEqual(await Array.fromAsync(Deno.readDir(site.nas), ({ name }) => name), before);
      }
      assert.equal((await site.record("study1"))?.truenas_evicting_at, null);

      // Three blocks: a lock would fit, a line of the ledger might not.
      await command("truncate", "-s", "-12288", filler);
      assert.equal((await site.run({ command: "cleanup" })).report?.error?.code, "place/full");
      assert.equal((await statfs(mount)).bavail, 3);

      await command("truncate", "-s", "-1M", filler);
      const run = await site.run({ command: "cleanup" });
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(await onNas(site), ["study2", "study3", "study4", "study5"]);
      assert.equal((await reserves(site))[0], 65_536);
    },
  );
}
