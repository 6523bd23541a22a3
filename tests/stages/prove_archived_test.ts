import assert from "node:assert/strict";
import type { RunReport } from "../../core/run/report.ts";
import { backedUp, bucketOf, CLEANUP, cleanup, EVICT_ALL } from "../kit/backups.ts";
import { patternBytes } from "../../testing/doubles.ts";

/** The world's backup sends parts of 5 MiB. */
const STUDY = { "large.bin": patternBytes(11 * 2 ** 20, 1), "small.bin": patternBytes(100, 2), "empty.bin": "" };
const IN_PARTS_OF_5 = CLEANUP.replace(`verify = "auto"`, `verify = "auto", part = "5 MiB"`);

const backups = (store = {}) => backedUp({ study1: STUDY }, { config: EVICT_ALL, store });

function guarantee(report: RunReport): string | undefined {
  assert.equal(report.items[0].outcome, "done", JSON.stringify(report.items[0].error));
  return report.items[0].stages.find((stage) => stage.id === "s3")?.guarantee;
}

/** Whether bytes of the study's files were read from the bucket. */
function readBack(world: Awaited<ReturnType<typeof backups>>, since: number): string[] {
  const read = world.store.calls.slice(since).filter(({ name, key }) => name === "get" && key.endsWith(".bin"));
  return [...new Set(read.map(({ key }) => key.split("/").at(-1)!))].sort();
}

Deno.test("prove-archived.apply() takes the checksum of a store that earned trust, of objects in parts too", async () => {
  await using world = await backups();
  const since = world.store.calls.length;
  assert.equal(guarantee(await cleanup(world, { pipeline: IN_PARTS_OF_5 })), "server-checksum");
  assert.deepEqual(readBack(world, since), []);
});

Deno.test("prove-archived.apply() reads back what is in parts of another size, and everything where told to", async () => {
  for (
    const [pipeline, read] of [[CLEANUP, ["large.bin"]], [
      CLEANUP.replace(`verify = "auto"`, `verify = "read-back"`),
      ["large.bin", "small.bin"],
    ]] as const
  ) {
    await using world = await backups();
    const since = world.store.calls.length;
    guarantee(await cleanup(world, { pipeline }));
    assert.deepEqual(readBack(world, since), read);
  }
});

Deno.test("prove-archived.apply() reads everything back from a store that checks nothing", async () => {
  await using world = await backups({ checksums: false });
  const since = world.store.calls.length;
  assert.equal(guarantee(await cleanup(world, { pipeline: IN_PARTS_OF_5 })), "read-back");
  assert.deepEqual(readBack(world, since), ["large.bin", "small.bin"]);
});

Deno.test("prove-archived.apply() writes nothing to the bucket, and aborts no upload of others", async () => {
  await using world = await backups();
  const before = bucketOf(world);
  const since = world.store.calls.length;
  await cleanup(world);
  assert.deepEqual(bucketOf(world), before);
  const writes = world.store.calls.slice(since).filter(({ name, key }) =>
    !["head", "get", "list", "headBucket"].includes(name) && !key.includes("_manifests/")
  );
  assert.deepEqual(writes, []);
});

Deno.test("prove-archived.plan() asks for a place that the ledger names", async () => {
  await using world = await backups();
  for (const [key, object] of [...world.store.objects]) {
    world.store.objects.set(key.replace("fusion/", "elsewhere/"), object);
  }
  const pipeline = CLEANUP.replace('prefix = "${s3.prefix}"', 'prefix = "elsewhere"');
  const report = await cleanup(world, { pipeline });
  assert.equal(report.items[0].error?.code, "backup/other-place");
});
