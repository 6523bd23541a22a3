import assert from "node:assert/strict";
import { cleanup, EVICT_ALL } from "../../kit/backups.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  manyFiles,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";
import { BACKUP, SOURCE_ROOT, type World } from "../../../testing/world.ts";

const SIDECAR = `${AT_NAS}/_checksums.sha256`;
const OBJECT = "fusion/study1/_checksums.sha256";

const LOSSES: Record<string, { place: string; lose: (world: World) => void }> = {
  "is gone from the NAS": { place: "truenas", lose: (world) => world.fs.disk.removeFile(SIDECAR) },
  "has a line more on the NAS": {
    place: "truenas",
    lose: (world) => rewrite(world, SIDECAR, `${world.fs.tree(SIDECAR)[SIDECAR]}${"0".repeat(64)}  z\n`),
  },
  "is gone from the bucket": { place: "s3", lose: (world) => world.store.objects.delete(OBJECT) },
};

for (const [what, { place, lose }] of Object.entries(LOSSES)) {
  Deno.test(`S5 a list of checksums that ${what} after the record: nothing goes, and the next run writes it again`, async () => {
    await using world = await worldWith();
    const report = await runAndAfter(world, "record", () => lose(world));
    assertFailed(report, "destroy/not-sealed");
    assert.match(report.items[0].error?.message ?? "", new RegExp(`no longer at ${place} \\("`));
    assert.match(report.items[0].error?.hint ?? "", /Run again/);
    assertSourceWhole(world);
    assert.equal((await world.ledger()).get("study1")?.source_deleting_at, null);
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    const { sidecar_sha256 } = (await world.ledger()).get("study1")!;
    assert.equal(await sha256(world.store.objects.get(OBJECT)!.bytes), sidecar_sha256);
    assert.equal(await sha256(new TextEncoder().encode(world.fs.tree(SIDECAR)[SIDECAR])), sidecar_sha256);
  });

  Deno.test(`S5 a list of checksums that ${what} between two batches: the rest stays, and the next run ends it`, async () => {
    await using world = await worldWith(manyFiles());
    assertFailed(await runAndBeforeRemoval(world, 1000, () => lose(world)), "destroy/not-sealed");
    assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  });
}

Deno.test("S5 a destroy that was taken up with a lost journal writes a lost list of checksums again", async () => {
  await using world = await worldWith(manyFiles(30));
  await runAndBeforeRemoval(world, 10, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  await world.loseJournal();
  world.fs.disk.removeFile(SIDECAR);
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.ok(world.fs.disk.lstat(SIDECAR));
});

Deno.test("S5 a place that the pipeline does not seal needs no list of checksums", async () => {
  await using world = await worldWith();
  const second = `[[stage]]\nuse = "copy"\nid = "other"\nwith = { to = "/other/backups" }\n` +
    `[[stage]]\nuse = "verify"\nid = "verify-other"\nwith = { place = "other" }\n`;
  world.fs.seed({ "/other/backups/.labferry-place": "00000000-0000-4000-8000-000000000009\n" });
  const pipeline = BACKUP.replace(`[[stage]]\nuse  = "checksum-sidecar"`, `${second}$&`);
  assertDone(await world.run({ pipeline }));
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S5 an eviction stops before the next batch once the bucket lost the list of checksums", async () => {
  await using world = await worldWith(manyFiles(), { config: EVICT_ALL });
  assertDone(await world.run());
  let removals = 0;
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "removeFile" || !path.startsWith(`${AT_NAS}/f`)) return;
    if (++removals === 1000) world.store.objects.delete(OBJECT);
  };
  assertFailed(await cleanup(world), "destroy/not-sealed");
  assert.equal(Object.keys(world.files(AT_NAS)).length, 11);
});

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
