import assert from "node:assert/strict";
import { failure } from "../../testing/memory_object_store.ts";
import { SOURCE_ROOT, type World } from "../../testing/world.ts";
import {
  archived,
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../kit/rules.ts";

/** Takes the study's folder away, as a person does who cleans up by hand. */
function removeStudy(world: World, root = AT_SOURCE): void {
  for (const path of Object.keys(world.fs.tree(root)).sort().reverse()) {
    if (path.endsWith("/")) world.fs.disk.removeEmptyDir(path.slice(0, -1));
    else world.fs.disk.removeFile(path);
  }
  const folders = ["Scan1", ""].map((folder) => folder === "" ? root : `${root}/${folder}`);
  for (const folder of folders) if (world.fs.disk.lstat(folder)) world.fs.disk.removeEmptyDir(folder);
}

Deno.test("S3 a completed name that returns with other content is refused, and nothing is written anywhere", async () => {
  const others: Record<string, string>[] = [
    { ...FILES, "a.txt": "ALPHA" },
    { ...FILES, "d.txt": "more" },
    { "a.txt": FILES["a.txt"], "b.txt": FILES["b.txt"] },
    { "x.txt": "all new" },
  ];
  for (const files of others) {
    for (const journal of ["kept", "lost"]) {
      await using world = await worldWith();
      assertDone(await world.run());
      if (journal === "lost") await world.loseJournal();
      world.study("study1", files);
      world.study("study2", FILES);
      const before = { ...archived(world), ledger: undefined };
      const report = await world.run({ only: "study1" });
      assertFailed(report, "item/name-reused");
      assert.match(report.items[0].error?.hint ?? "", /name of its own/);
      assert.deepEqual({ ...archived(world), ledger: undefined }, before);
      assertSourceWhole(world, files);
      const record = (await world.ledger()).get("study1");
      assert.equal(record?.status, "complete");
      assert.notEqual(record?.source_deleted_at, null);
    }
  }
});

Deno.test("S3 a study that returns with the same bytes is proved again at every place, recorded and freed again", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  const first = (await world.ledger()).get("study1");
  world.clock.time += 3_600_000;
  world.study("study1", FILES);
  const report = await world.run();
  assertDone(report);
  const stages = new Map(report.items[0].stages.map((stage) => [stage.id, stage]));
  for (const id of ["truenas", "verify", "s3"]) assert.equal(stages.get(id)?.files, 3, `${id} does all files again`);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete");
  assert.notEqual(record?.incarnation, first?.incarnation);
  assert.ok(record!.source_deleted_at! > first!.source_deleted_at!);
  assert.equal(record?.sidecar_sha256, first?.sidecar_sha256);
});

Deno.test("S3 a study that returns while its copy at the NAS is damaged is not freed again", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  world.study("study1", FILES);
  rewrite(world, `${AT_NAS}/a.txt`, "ALPHA");
  assertFailed(await world.run(), "copy/conflict");
  assertSourceWhole(world);
  assert.equal((await world.ledger()).get("study1")?.status, "complete", "nothing is recorded over complete");
});

Deno.test("S3 a study that changed after complete is refused and stays", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => world.study("study1", { "late.txt": "late" }));
  assertFailed(report, "destroy/source-changed");
  assertFailed(await world.run(), "item/name-reused");
  assertSourceWhole(world, { ...FILES, "late.txt": "late" });
});

Deno.test("S3 evidence of a folder never counts for another folder under its name", async () => {
  await using world = await worldWith();
  const away = { before: () => Promise.reject(failure("unreachable")) };
  assertFailed(await runAndAfter(world, "checksum-sidecar", () => world.store.hooks = away), "s3/unreachable");
  world.store.hooks = {};
  removeStudy(world);
  const files = { ...FILES, "a.txt": "ALPHA" };
  world.study("study1", files);
  assertFailed(await world.run(), "copy/conflict");
  assertSourceWhole(world, files);
  assert.equal(world.files(AT_NAS)["a.txt"], "alpha", "what stands at the NAS is not replaced");
  assert.equal((await world.ledger()).get("study1")?.status, "failed_truenas");
});

Deno.test("S3 a destroy of a folder that another took the place of is withdrawn, and the other is judged by its bytes", async () => {
  for (const files of [FILES, { ...FILES, "a.txt": "ALPHA" }]) {
    await using world = await worldWith();
    const report = await runAndBeforeRemoval(world, 2, () => rewrite(world, `${AT_SOURCE}/b.txt`, "touched"));
    assert.equal(report.exit_code, 1);
    assert.notEqual((await world.ledger()).get("study1")?.source_deleting_at, null);
    removeStudy(world);
    world.study("study1", files);
    const again = await world.run();
    const record = (await world.ledger()).get("study1");
    if (files === FILES) {
      assertDone(again);
      assert.notEqual(record?.source_deleted_at, null);
      assert.deepEqual(world.files(SOURCE_ROOT), {});
    } else {
      assertFailed(again, "item/name-reused");
      assert.equal(record?.source_deleting_at, null);
      assertSourceWhole(world, files);
    }
  }
});

Deno.test("S3 a journal that is lost between copy and record costs work, not truth", async () => {
  for (const stage of ["truenas", "verify", "s3"]) {
    await using world = await worldWith();
    const away = { before: () => Promise.reject(failure("unreachable")) };
    const report = await runAndAfter(world, stage, () => world.store.hooks = away);
    assert.equal(report.exit_code, 1, stage);
    world.store.hooks = {};
    await world.loseJournal();
    world.clock.time += 3_600_000;
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    const record = (await world.ledger()).get("study1");
    assert.deepEqual(record?.places.truenas.guarantee, "read-back");
    assert.notEqual(record?.source_deleted_at, null);
  }
});
