import assert from "node:assert/strict";
import { BACKUP, NAS_ROOT, SOURCE_ROOT } from "../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_SOURCE,
  FILES,
  rewrite,
  runAndAfter,
  worldWith,
} from "../kit/rules.ts";

Deno.test("S6 a rewrite that leaves every stamp as it was is seen by its bytes", async () => {
  await using world = await worldWith();
  // The stamps of all files lie within the second in which they are hashed, where a second change can hide.
  const now = `with = { root = "\${paths.source_root}", idle = "0s", settle = "0s" }`;
  const pipeline = BACKUP.replace(`with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }`, now);
  world.study("study1", FILES, 0);
  const report = await runAndAfter(world, "record", () => {
    const { mtimeMs } = world.fs.disk.lstat(`${AT_SOURCE}/a.txt`)!;
    rewrite(world, `${AT_SOURCE}/a.txt`, "ALPHA", mtimeMs ?? undefined);
  }, { pipeline });
  assertFailed(report, "destroy/not-proved");
  assert.match(report.items[0].error?.message ?? "", /its bytes are not those that were copied/);
  assertSourceWhole(world, { ...FILES, "a.txt": "ALPHA" });
  assert.equal((await world.ledger()).get("study1")?.source_deleting_at, null);
});

Deno.test("S6 a device that has another number after a restart of the host is read again, not refused", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => world.store.objects.get("fusion/study1/a.txt")!.etag += "x");
  assertFailed(report, "destroy/not-proved");
  world.store.objects.get("fusion/study1/a.txt")!.etag = world.store.objects.get("fusion/study1/a.txt")!.etag.slice(
    0,
    -1,
  );
  for (const root of [SOURCE_ROOT, NAS_ROOT]) world.fs.disk._find(root, { follow: true }).device.dev += 1000;
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});
