import assert from "node:assert/strict";
import { verifyChain } from "../../core/ledger/verify_chain.ts";
import { failure } from "../../testing/memory_object_store.ts";
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, type World } from "../../testing/world.ts";
import { assertDone, assertFailed, assertSourceWhole, FILES, runAndAfter, worldWith } from "../kit/rules.ts";

const MONTH = "2026-01.jsonl";
const MIRROR = `fusion/_manifests/${MONTH}`;

const month = (world: World) => world.fs.tree(MANIFEST_ROOT)[`${MANIFEST_ROOT}/${MONTH}`] ?? "";
const mirror = (world: World) => new TextDecoder().decode(world.store.objects.get(MIRROR)?.bytes);

function append(world: World, text: string): void {
  const path = `${MANIFEST_ROOT}/${MONTH}`;
  const before = month(world);
  world.fs.seed({ [path]: before + text });
}

Deno.test("S12 a torn last line is closed and never truncated; the records before and after it stand", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  append(world, `{"backup_name":"study1","status":"fai`);
  const torn = month(world);
  world.study("study2", FILES);
  assertDone(await world.run());
  assert.ok(month(world).startsWith(`${torn}\n`));
  const records = await world.ledger();
  assert.equal(records.get("study1")?.status, "complete");
  assert.notEqual(records.get("study2")?.source_deleted_at, null);
  assert.ok(world.log.lines.some((line) => line.level === "warn" && /left out|could not be read/.test(line.message)));
});

Deno.test("S12 every record is chained to the line before it, over studies and runs", async () => {
  await using world = await worldWith();
  world.study("study2", FILES);
  assertDone(await world.run());
  world.study("study3", FILES);
  assertDone(await world.run());
  const found = await verifyChain(world.fs, `${MANIFEST_ROOT}/${MONTH}`);
  assert.equal(found.broken, undefined);
  assert.deepEqual(found.torn, []);
  assert.equal(found.lines, 3 * 4, "three studies: in_progress, complete, deleting, deleted");
});

Deno.test("S12 a ledger that cannot be written stops the study before a byte is copied, and frees nothing", async () => {
  await using world = await worldWith();
  world.fs.disk.setMount("/manifests", { readOnly: true });
  const report = await world.run();
  assert.equal(report.exit_code, 1);
  assertSourceWhole(world);
  assert.deepEqual(world.objects(), {});
  world.fs.disk.setMount("/manifests", { readOnly: false });
  assertDone(await world.run());
});

Deno.test("S12 a ledger that is held by another process for long fails the study, and nothing goes", async () => {
  await using world = await worldWith();
  const handle = world.fs.disk.openReadWrite(`${MANIFEST_ROOT}/.ledger.lock`);
  handle.tryLock();
  assertFailed(await world.run(), "ledger/busy");
  assertSourceWhole(world);
  handle.close();
  assertDone(await world.run());
});

Deno.test("S12 the mirror equals the ledger after a run, and catches up after it was away", async () => {
  await using world = await worldWith();
  world.store.hooks = {
    before: (call) => {
      if (call.key === MIRROR) throw failure("unreachable");
    },
  };
  assertDone(await world.run());
  assert.ok(world.log.lines.some((line) => line.level === "warn" && /mirror/.test(line.message)));
  assert.equal(world.store.objects.has(MIRROR), false);
  world.store.hooks = {};
  world.study("study2", FILES);
  assertDone(await world.run());
  assert.equal(mirror(world), month(world));
});

Deno.test("S12 a ledger that lost lines never takes them from its mirror", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  const before = mirror(world);
  world.fs.disk.removeFile(`${MANIFEST_ROOT}/${MONTH}`);
  world.study("study2", { "a.txt": "x" });
  await world.run();
  assert.equal(mirror(world), before);
  assert.ok(world.log.lines.some((line) => /mirror/.test(line.message)));
});

Deno.test("S12 a run that finds its ledger shorter than the mirror says so before it appends, with what to do", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  const path = `${MANIFEST_ROOT}/${MONTH}`;
  const whole = month(world);
  // Without the lines of the removal, so that nothing is left open.
  const cut = whole.split("\n").slice(0, 2).map((line) => `${line}\n`).join("");
  world.fs.seed({ [path]: cut });
  world.log.lines.length = 0;
  // Nothing to archive, so that nothing is appended.
  assertFailed(await world.run(), "ledger/contradicted");
  const warnings = world.log.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(
    warnings[0],
    /^The ledger has lost lines: .* has \d+ bytes, and its mirror .* has \d+ bytes\. Stop all runs/,
  );
  assert.deepEqual([month(world), mirror(world)], [cut, whole]);
  world.fs.seed({ [path]: whole });
  world.log.lines.length = 0;
  world.study("study2", FILES);
  assertDone(await world.run());
  assert.deepEqual(world.log.lines.filter(({ level }) => level === "warn"), []);
  assert.equal(mirror(world), month(world));
  assert.equal((await verifyChain(world.fs, path)).broken, undefined);
});

Deno.test("S12 a run whose ledger differs from the mirror says so with what to do, once, and leaves the mirror", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  const path = `${MANIFEST_ROOT}/${MONTH}`;
  const before = mirror(world);
  world.fs.seed({ [path]: month(world).replace('"file_count":3', '"file_count":4') });
  world.log.lines.length = 0;
  world.study("study2", FILES);
  assertFailed(await world.run(), "destroy/ledger-contradicted", "study2");
  assertSourceWhole(world, FILES, "study2");
  const told = world.log.lines.filter(({ message }) => /Cannot mirror the ledger/.test(message));
  assert.equal(told.length, 1);
  assert.match(told[0].message, /its lines are not those the ledger begins with\. .* was changed\. Stop all runs/);
  assert.equal(mirror(world), before);
});

Deno.test("S12 a month that is shorter than its mirror permits no destroy until it is put back; copying goes on", async () => {
  await using world = await worldWith();
  assertDone(await world.run());
  const path = `${MANIFEST_ROOT}/${MONTH}`;
  const whole = month(world);
  world.fs.seed({ [path]: whole.split("\n").slice(0, 2).map((line) => `${line}\n`).join("") });
  world.study("study2", FILES);
  const report = await world.run();
  assertFailed(report, "destroy/ledger-contradicted", "study2");
  const { message, hint } = report.items.find(({ name }) => name === "study2")!.error!;
  assert.match(
    message,
    new RegExp(`s3://archive/${MIRROR} contradicts the ledger "${path}": it has \\d+ bytes, more than the \\d+ bytes`),
  );
  assert.match(hint ?? "", /Stop all runs and keep both files, .*Compare them line by line/);
  assertSourceWhole(world, FILES, "study2");
  assert.equal(world.files(`${NAS_ROOT}/study2`)["a.txt"], "alpha");
  assert.equal(report.error?.code, "ledger/contradicted");
  world.fs.seed({ [path]: whole });
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S12 a line that was changed after the record breaks the chain, and permits no destroy", async () => {
  await using world = await worldWith();
  world.store.hooks = {
    before: (call) => {
      if (call.key?.startsWith("fusion/_manifests/")) throw failure("unreachable");
    },
  };
  const report = await runAndAfter(world, "record", () => {
    world.fs.seed({
      [`${MANIFEST_ROOT}/${MONTH}`]: month(world).replace('"status":"in_progress"', '"status":"in_progresS"'),
    });
  });
  assertFailed(report, "destroy/ledger-contradicted");
  assert.match(report.items[0].error?.message ?? "", /the chain of ".*" is broken at line 2: line 1 was changed/);
  assertSourceWhole(world);
});

Deno.test("S12 a record is never left half-done by a full disk: nothing is freed, the next run goes on", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "s3", () => world.fs.disk.setMount("/manifests", { capacity: 2048 }));
  assert.equal(report.exit_code, 1);
  assertSourceWhole(world);
  world.fs.disk.setMount("/manifests", { capacity: 2 ** 30 });
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});
