import assert from "node:assert/strict";
import { assertOnNas, backedUp, CLEANUP, cleanup, EVICT_ALL, onNas, studyOf } from "../kit/backups.ts";
import { NAS_ROOT } from "../../testing/world.ts";

const STUDY = studyOf(300);

Deno.test("evict.apply() removes files, folders, the list of checksums, the lock and the folder, in this order", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  const removed: string[] = [];
  world.fs.fault = ({ operation, path }) => {
    if (operation.startsWith("remove") && path.startsWith(`${NAS_ROOT}/study1`)) {
      removed.push(path.slice(NAS_ROOT.length));
    }
  };
  assert.equal((await cleanup(world)).items[0].outcome, "done");
  assert.deepEqual(removed, [
    "/study1/Scan1/image.bin",
    "/study1/note.txt",
    "/study1/Scan1",
    "/study1/_checksums.sha256",
    "/study1/.labferry.lock",
    "/study1",
  ]);
});

Deno.test("evict.apply() stops before a file that changes while the eviction goes on", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "removeFile" || !path.endsWith("image.bin")) return;
    world.fs.fault = undefined;
    world.fs.seed({ [`${NAS_ROOT}/study1/note.txt`]: "written meanwhile" });
  };
  const report = await cleanup(world);
  assert.equal(report.items[0].error?.code, "destroy/source-changed");
  assert.equal(world.files(NAS_ROOT)["study1/note.txt"], "written meanwhile");
  assert.ok(world.files(NAS_ROOT)["study1/_checksums.sha256"]);
});

Deno.test("S6 evict.apply() with recheck hash finds a rewrite that no stat shows", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  const stageFinished = (_item: string, stage: string) => {
    if (stage !== "s3") return;
    world.fs.fault = ({ operation, path }) =>
      operation === "read" && path === `${NAS_ROOT}/study1/note.txt` ? { flipBit: 3 } : undefined;
  };
  const pipeline = CLEANUP.replace("{ require", `{ recheck = "hash", require`);
  const report = await cleanup(world, { pipeline, progress: { stageFinished } });
  assert.equal(report.items[0].error?.code, "destroy/not-proved");
  world.fs.fault = undefined;
  assertOnNas(world, "study1", STUDY);
});

Deno.test("S5 evict.apply() removes nothing when an object goes between its proof and the act", async () => {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  const stageFinished = (_item: string, stage: string) => {
    if (stage === "s3") world.store.objects.delete("fusion/study1/Scan1/image.bin");
  };
  const report = await cleanup(world, { progress: { stageFinished } });
  assert.equal(report.items[0].error?.code, "destroy/not-proved");
  assert.match(report.items[0].error?.message ?? "", /s3 no longer holds it/);
  assertOnNas(world, "study1", STUDY);
  assert.deepEqual(onNas(world), ["study1"]);
  assert.equal((await world.ledger()).get("study1")?.truenas_evicting_at, null, "the intent is withdrawn");
});
