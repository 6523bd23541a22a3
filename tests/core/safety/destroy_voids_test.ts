import assert from "node:assert/strict";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  manyFiles,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";
import { BACKUP, MANIFEST_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";

const COPY = `${AT_NAS}/a.txt`;
const ledgerLines = (world: World) => Object.values(world.fs.tree(MANIFEST_ROOT)).join("").split("\n").length;

/** As a disk does it: other bytes, and nothing that a look at the entry would show. */
function rot(world: World, path: string, content: string): void {
  rewrite(world, path, content, world.fs.disk.lstat(path)!.mtimeMs ?? undefined);
}

Deno.test("S5 a copy that a delete found to be wrong is no proof any more: the next run meets it, and says so", async () => {
  await using world = await worldWith();
  assertFailed(await runAndAfter(world, "record", () => rot(world, COPY, "alphA")), "destroy/not-proved");
  const lines = ledgerLines(world);
  for (let run = 2; run <= 3; run++) {
    const report = await world.run();
    assertFailed(report, "copy/conflict");
    assert.match(report.items[0].error?.hint ?? "", /Nothing is ever replaced\. .*move it away/);
    assertSourceWhole(world);
    assert.equal(world.fs.tree(COPY)[COPY], "alphA");
    assert.equal(ledgerLines(world), lines, "nothing is recorded that was not done");
  }
  world.fs.disk.removeFile(COPY);
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.equal(world.fs.tree(COPY)[COPY], "alpha");
});

Deno.test("S5 an object that a delete found to be gone is uploaded again by the next run", async () => {
  await using world = await worldWith();
  const lose = () => world.store.objects.delete("fusion/study1/a.txt");
  assertFailed(await runAndAfter(world, "record", lose), "destroy/not-proved");
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.ok(world.store.objects.has("fusion/study1/a.txt"));
});

Deno.test("S5 a wrong copy in the second batch keeps the rest until it is right again; no evidence of the source is lost", async () => {
  await using world = await worldWith(manyFiles());
  const last = `${AT_NAS}/f01009`;
  assertFailed(await runAndBeforeRemoval(world, 1000, () => rot(world, last, "bytes 100X")), "destroy/not-proved");
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
  for (let run = 2; run <= 3; run++) {
    assertFailed(await world.run(), "destroy/not-proved");
    assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
  }
  rot(world, last, "bytes 1009");
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S5 a proof does not stand against a later reading that finds other bytes", async () => {
  await using world = await worldWith();
  const kept = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  assertDone(await world.run({ pipeline: kept }));
  rot(world, COPY, "alphA");
  assertFailed(await world.run({ pipeline: kept, force: "verify" }), "verify/mismatch");
  assertFailed(await world.run(), "copy/conflict");
  assertSourceWhole(world);
});

Deno.test("a refused delete counts files, not reasons", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => {
    for (const path of Object.keys(FILES)) world.fs.disk.removeFile(`${AT_NAS}/${path}`);
  });
  assertFailed(report, "destroy/not-proved");
  assert.match(
    report.items[0].error?.message ?? "",
    /: 3 of 3 files may not go: .*truenas no longer holds it \(it is gone\), and proved at 1 other places/,
  );
});
