import assert from "node:assert/strict";
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

const CLAIM = `${NAS_ROOT}/.labferry/claims/study1.json`;

Deno.test("S5 a destroy does not begin once another incarnation has the name at a place", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => {
    const claim = JSON.parse(new TextDecoder().decode(world.fs.bytes(CLAIM)));
    world.fs.disk.removeFile(CLAIM);
    world.fs.seed({ [CLAIM]: JSON.stringify({ ...claim, incarnation: "f".repeat(32) }) });
  });
  assertFailed(report, "item/name-claimed");
  assert.ok(report.items[0].error?.hint?.includes(`The claim is "${CLAIM}"`));
  assertSourceWhole(world);
  const lines = Object.values(world.fs.tree(MANIFEST_ROOT)).join("");
  assert.doesNotMatch(lines, /"source_deleting_at":"/, "no intent was ever recorded");
});

Deno.test("S5 a destroy stops before the next batch once another incarnation has the name at a place", async () => {
  await using world = await worldWith(manyFiles(1001));
  const report = await runAndBeforeRemoval(world, 1000, () => {
    const claim = JSON.parse(new TextDecoder().decode(world.fs.bytes(CLAIM)));
    world.fs.disk.removeFile(CLAIM);
    world.fs.seed({ [CLAIM]: JSON.stringify({ ...claim, incarnation: "f".repeat(32) }) });
  });
  assertFailed(report, "item/name-claimed");
  assert.deepEqual(Object.keys(world.files(SOURCE_ROOT)), ["study1/f01000"], "the second batch stays");
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S11 a destroy claims a name again when its claim was removed by hand", async () => {
  await using world = await worldWith();
  assertDone(await runAndAfter(world, "record", () => world.fs.disk.removeFile(CLAIM)));
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.notEqual(world.fs.disk.lstat(CLAIM), undefined);
});
