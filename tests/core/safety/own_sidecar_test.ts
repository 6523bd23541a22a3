import assert from "node:assert/strict";
import { SIDECAR_NAME } from "../../../core/io/names.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  rewrite,
  runAndAfter,
  worldWith,
} from "../../kit/rules.ts";
import { CrashError } from "../../../testing/memory_file_system.ts";
import { NAS_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";

const AT = `${AT_SOURCE}/${SIDECAR_NAME}`;

/** Backs `study1` up and copies it back as `cp -rp` does, the list of hashes with it. */
async function restored(): Promise<{ world: World; list: string }> {
  const world = await worldWith();
  assertDone(await world.run());
  const list = world.files(NAS_ROOT)[`study1/${SIDECAR_NAME}`];
  world.clock.time += 3_600_000;
  world.study("study1", { ...FILES, [SIDECAR_NAME]: list });
  return { world, list };
}

Deno.test("S14 a study that was copied back with its own list of hashes is proved again and freed, the list too", async () => {
  const { world, list } = await restored();
  await using _closing = world;
  const report = await world.run();
  assertDone(report);
  assert.equal(report.items[0].stages.find((stage) => stage.id === "truenas")?.files, 3, "the list is no file of it");
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
  assert.equal(world.files(AT_NAS)[SIDECAR_NAME], list);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.file_count, 3);
  assert.notEqual(record?.source_deleted_at, null);
});

Deno.test("S14 a dry run takes the list of hashes that came back for ours as a run does", async () => {
  const { world } = await restored();
  await using _closing = world;
  const report = await world.run({ dryRun: true });
  assert.equal(report.items[0]?.error, undefined, report.items[0]?.error?.message);
});

Deno.test("S14 any other bytes, place or kind under the name of the list fail the study, and nothing is removed", async () => {
  const others: Record<string, (world: World, list: string) => void> = {
    "other bytes": (world) => rewrite(world, AT, "not the list"),
    "cut short": (world, list) => rewrite(world, AT, list.slice(0, -1)),
    "below the root": (world, list) => world.study("study1", { [`Scan1/${SIDECAR_NAME}`]: list }),
    "a folder": (world) => {
      world.fs.disk.removeFile(AT);
      world.study("study1", { [`${SIDECAR_NAME}/x`]: "x" });
    },
    "another spelling": (world) => world.fs.disk.rename(AT, `${AT_SOURCE}/_Checksums.sha256`),
  };
  for (const [what, change] of Object.entries(others)) {
    const { world, list } = await restored();
    await using _closing = world;
    change(world, list);
    world.clock.time += 30 * 86_400_000;
    const before = world.files(SOURCE_ROOT);
    const report = await world.run();
    assert.match(report.items[0].error?.code ?? "", /^item\/(name-reused|names)$/, what);
    assert.deepEqual(world.files(SOURCE_ROOT), before, what);
  }
});

Deno.test("S14 a list of hashes in a study that was never archived is nobody's proof", async () => {
  await using world = await worldWith({ ...FILES, [SIDECAR_NAME]: "x" });
  assertFailed(await world.run(), "item/names");
  assertSourceWhole(world);
});

Deno.test("S14 a list that changes while the study is freed stays, and the next run says so", async () => {
  const { world } = await restored();
  await using _closing = world;
  const report = await runAndAfter(world, "record", () => rewrite(world, AT, "not the list"));
  assertFailed(report, "destroy/source-changed");
  assertSourceWhole(world);
  assert.equal(world.files(AT_SOURCE)[SIDECAR_NAME], "not the list");
});

Deno.test("S14 the list is read once more right before it goes: other bytes under its name stay", async () => {
  const { world } = await restored();
  await using _closing = world;
  let acting = false;
  world.fs.fault = ({ operation, path }) => {
    if (acting || operation !== "removeFile" || path !== `${AT_SOURCE}/b.txt`) return;
    acting = true;
    rewrite(world, AT, "not the list");
  };
  assertFailed(await world.run(), "destroy/left-over");
  assert.equal(world.files(AT_SOURCE)[SIDECAR_NAME], "not the list");
});

Deno.test("S14 S22 a crash around the removal of the list is taken up by the next run", async () => {
  for (const removed of [false, true]) {
    const { world } = await restored();
    await using _closing = world;
    world.fs.fault = ({ operation, path }) => {
      const hit = removed
        ? operation === "removeEmptyDir" && path === `${AT_SOURCE}/Scan1`
        : operation === "removeFile" && path === AT;
      if (hit) {
        world.fs.crash();
        throw new CrashError();
      }
    };
    await world.run().catch(() => {});
    world.fs.fault = undefined;
    world.fs.restart();
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});
