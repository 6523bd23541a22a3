import assert from "node:assert/strict";
import { assertOnNas, backedUp, bucketOf, cleanup, EVICT_ALL, onNas, type Study, studyOf } from "../../kit/backups.ts";
import { CrashError } from "../../../testing/memory_types.ts";
import { BACKUP, NAS_ROOT, World } from "../../../testing/world.ts";

const STUDY: Study = studyOf(200);
const CLAIM = `${NAS_ROOT}/.labferry/claims/study1.json`;

/** A world whose eviction of `study1` stopped at the first call that `at` picks. */
async function stoppedAt(at: (operation: string, path: string) => boolean, world?: World): Promise<World> {
  const stopped = world ?? await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  stopped.fs.fault = ({ operation, path }) => {
    if (at(operation, path)) throw new CrashError();
  };
  await cleanup(stopped).catch(() => {}); // the machine is off
  stopped.fs.fault = undefined;
  stopped.fs.restart();
  stopped.clock.time += 60_000;
  return stopped;
}

/** The folder is gone, and the ledger does not say so yet. */
const folderGone = () => {
  let isGone = false;
  return (operation: string, path: string) => {
    if (isGone && operation === "syncDir" && path === NAS_ROOT) return true;
    isGone ||= operation === "removeEmptyDir" && path === `${NAS_ROOT}/study1`;
    return false;
  };
};

Deno.test("S22 closeEvictions() tells the ledger of a folder that is gone already", async () => {
  await using world = await stoppedAt(folderGone());
  assert.equal(world.fs.disk.lstat(`${NAS_ROOT}/study1`), undefined);
  assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at, null);
  await cleanup(world, { dryRun: true });
  assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at, null, "a dry run writes nothing");
  const report = await cleanup(world);
  assert.deepEqual(report.items, []);
  assert.ok((await world.ledger()).get("study1")?.truenas_evicted_at);
});

Deno.test("closeEvictions() did the work that --only asked for: the name is known, in a dry run too", async () => {
  await using world = await stoppedAt(folderGone());
  const dry = await cleanup(world, { only: "study1", dryRun: true });
  assert.notEqual(dry.error?.code, "run/no-such-item");
  const report = await cleanup(world, { only: "study1" });
  assert.notEqual(report.error?.code, "run/no-such-item");
  assert.ok((await world.ledger()).get("study1")?.truenas_evicted_at);
  // Nothing of it is left.
  assert.equal((await cleanup(world, { only: "study1" })).error?.code, "run/no-such-item");
});

Deno.test("S1 closeEvictions() takes no other disk for the one that was being freed", async () => {
  await using world = await stoppedAt(folderGone());
  world.fs.disk.removeFile(CLAIM);
  await world.loseJournal();
  const report = await cleanup(world);
  assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at, null);
  assert.equal(report.exit_code, 1);
  const [{ error }] = report.items;
  assert.equal(error?.code, "backup/other-disk");
  assert.match(error?.message ?? "", /does not show that it ever was there/);
});

Deno.test("S4 a study whose copy is being evicted is not backed up until that has ended", async () => {
  await using world = await World.open({ config: EVICT_ALL });
  world.study("study1", STUDY);
  const kept = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  assert.equal((await world.run({ pipeline: kept })).exit_code, 0);
  world.clock.time += 60_000;
  let removals = 0;
  await stoppedAt((operation, path) => operation === "removeFile" && path.endsWith(".txt") && ++removals > 0, world);
  const before = [world.files(NAS_ROOT), bucketOf(world)];
  const report = await world.run({ pipeline: kept });
  assert.equal(report.items[0].error?.code, "item/being-evicted");
  assert.deepEqual([world.files(NAS_ROOT), bucketOf(world)], before);
  assert.equal((await cleanup(world)).items[0].outcome, "done");
  assert.deepEqual(onNas(world), []);
  world.clock.time += 60_000;
  assert.equal((await world.run({ pipeline: kept })).exit_code, 0);
  assertOnNas(world, "study1", STUDY);
});

Deno.test("S5 evidence of the backup's own runs does not count for its eviction, and is gone with its intent", async () => {
  await using world = await World.open({ config: EVICT_ALL });
  world.study("study1", STUDY);
  const kept = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  await world.run({ pipeline: kept });
  const { incarnation } = (await world.ledger()).get("study1")!;
  const places = () => world.journal.evidence.places(incarnation);
  assert.deepEqual(await places(), ["s3", "source", "truenas"]);
  const object = world.store.objects.get("fusion/study1/note.txt")!;
  world.store.objects.delete("fusion/study1/note.txt");
  world.clock.time += 60_000;
  assert.equal((await cleanup(world)).items[0].error?.code, "backup/object-missing");
  assert.deepEqual(await places(), ["s3", "source", "truenas"], "a refusal changes nothing of it");
  world.store.objects.set("fusion/study1/note.txt", object);
  assert.equal((await cleanup(world)).items[0].outcome, "done");
  assert.deepEqual(await places(), []);
  assert.deepEqual(await world.journal.evidence.places(`backups:${incarnation}`), []);
});

Deno.test("listBackups() takes no folder for the recorded copy that only has its name, at whatever depth", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  // The whole of the NAS once more, one level up, with a mark of its own.
  const copied: Record<string, Uint8Array> = {};
  for (const path of Object.keys(world.fs.tree(NAS_ROOT)).filter((path) => !path.endsWith("/"))) {
    copied[path.replace(NAS_ROOT, "/nas")] = world.fs.bytes(path);
  }
  copied["/nas/.labferry-place"] = new TextEncoder().encode("00000000-0000-4000-8000-000000000009\n");
  world.fs.seed(copied);
  const report = await cleanup(world, { nasRoot: "/nas" });
  assert.equal(report.error?.code, "cleanup/not-enough");
  assert.match(report.error?.message ?? "", /"study1": the ledger has it at "\/nas\/backups\/study1"/);
  assert.ok(world.fs.disk.lstat("/nas/study1/note.txt"));
  assertOnNas(world, "study1", STUDY);
  assert.equal((await world.ledger()).get("study1")?.truenas_evicting_at, null);
});
