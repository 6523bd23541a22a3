import assert from "node:assert/strict";
import { systemError } from "../../testing/memory_file_system.ts";
import { failure } from "../../testing/memory_object_store.ts";
import { NAS_ROOT, SOURCE_ROOT } from "../../testing/world.ts";
import { assertDone, assertSourceWhole, AT_SOURCE, FILES, manyFiles, runAndAfter, worldWith } from "../kit/rules.ts";

Deno.test("S19 a study that fails, at any stage, stops no other; the run ends with exit 1", async () => {
  const ways: Record<string, (world: Awaited<ReturnType<typeof worldWith>>) => void> = {
    "cannot be read": (world) => {
      world.fs.fault = ({ operation, path }) => {
        if (operation === "openRead" && path === `${SOURCE_ROOT}/study2/a.txt`) throw systemError("EACCES", path);
      };
    },
    "conflicts at the NAS": (world) => world.fs.seed({ "/nas/backups/study2/a.txt": "other" }),
    "is refused by the store": (world) => {
      world.store.hooks = {
        before: (call) => {
          if (call.key.startsWith("fusion/study2/")) throw failure("denied");
        },
      };
    },
    "cannot be locked": (world) => {
      world.fs.fault = ({ operation, path }) => {
        if (operation === "openReadWrite" && path === `${SOURCE_ROOT}/study2/.labferry.lock`) {
          throw systemError("EACCES", path);
        }
      };
    },
    "cannot be removed": (world) => {
      world.fs.fault = ({ operation, path }) => {
        if (operation === "removeFile" && path === `${SOURCE_ROOT}/study2/b.txt`) throw systemError("EACCES", path);
      };
    },
  };
  for (const [what, arrange] of Object.entries(ways)) {
    await using world = await worldWith();
    world.study("study2", FILES);
    world.study("study3", FILES);
    arrange(world);
    const report = await world.run();
    world.fs.fault = undefined;
    assert.equal(report.exit_code, 1, what);
    const outcomes = Object.fromEntries(report.items.map((item) => [item.name, item.outcome]));
    assert.deepEqual(outcomes, { study1: "done", study2: "failed", study3: "done" }, what);
    assert.notEqual(report.items[1].error?.code, "internal/unexpected", what);
    assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined, what);
    assert.equal(world.files(`${SOURCE_ROOT}/study2`)["b.txt"], "beta", what);
    const records = await world.ledger();
    assert.notEqual(records.get("study3")?.source_deleted_at, null, what);
    assert.equal(records.get("study2")?.source_deleted_at ?? null, null, what);
  }
});

Deno.test("S20 a destroy removes what the evidence names, file by file, and folders when they are empty", async () => {
  await using world = await worldWith({ ...FILES, "Scan1/deep/d.bin": "delta" });
  world.fs.seed({ [`${AT_SOURCE}/empty/`]: "" }, { at: world.clock.now() - 30 * 86_400_000 });
  const removed: string[] = [], folders: string[] = [];
  world.fs.fault = ({ operation, path }) => {
    if (!path.startsWith(AT_SOURCE)) return;
    if (operation === "removeFile") removed.push(path.slice(AT_SOURCE.length + 1));
    if (operation === "removeEmptyDir") folders.push(path.slice(AT_SOURCE.length + 1));
    assert.notEqual(operation, "rename");
  };
  assertDone(await world.run());
  world.fs.fault = undefined;
  assert.deepEqual(removed, ["Scan1/c.bin", "Scan1/deep/d.bin", "a.txt", "b.txt", ".labferry.lock"]);
  assert.deepEqual(folders.toSorted(), ["", "Scan1", "Scan1/deep", "empty"]);
  assert.equal(folders.at(-1), "", "the study's own folder goes last");
});

Deno.test("S20 a study with hard links is freed in one run, over batches too", async () => {
  for (const files of [FILES, manyFiles()]) {
    await using world = await worldWith(files);
    const [first] = Object.keys(files);
    for (const name of ["b2", "z1", "z2"]) world.fs.disk.link(`${AT_SOURCE}/${first}`, `${AT_SOURCE}/${name}`);
    world.clock.time += 3_600_000;
    assertDone(await world.run());
    assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
    assert.equal(world.files(`${NAS_ROOT}/study1`).z2, files[first]);
    const record = (await world.ledger()).get("study1");
    assert.equal(record?.file_count, Object.keys(files).length + 3);
    assert.notEqual(record?.source_deleted_at, null);
  }
});

Deno.test("S20 many names of one file are freed with a number of calls that grows as they do", async () => {
  const calls = [];
  for (const links of [40, 80]) {
    await using world = await worldWith();
    for (let i = 0; i < links; i++) world.fs.disk.link(`${AT_SOURCE}/a.txt`, `${AT_SOURCE}/link${i}`);
    world.clock.time += 3_600_000;
    let isDestroy = false, count = 0;
    world.fs.fault = () => {
      if (isDestroy) count++;
    };
    assertDone(
      await world.run({ progress: { stageStarted: (_item, stage) => isDestroy = stage === "delete" } }),
    );
    assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
    calls.push(count);
  }
  assert.ok(calls[1] < 2.3 * calls[0], calls.join(" and "));
});

Deno.test("S20 what arrives during the destroy stays, with the folders that lead to it", async () => {
  await using world = await worldWith();
  let removals = 0;
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "removeFile" || path !== `${AT_SOURCE}/b.txt` || removals++ > 0) return;
    world.study("study1", { "Scan1/new/late.bin": "late" });
  };
  const report = await world.run();
  world.fs.fault = undefined;
  assert.equal(report.exit_code, 1);
  assert.equal(report.items[0].error?.code, "destroy/left-over");
  assert.deepEqual(world.files(AT_SOURCE), { "Scan1/new/late.bin": "late" });
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S20 a folder that takes a file while it is emptied stays", async () => {
  await using world = await worldWith();
  let done = false;
  world.fs.fault = ({ operation, path }) => {
    if (done || operation !== "removeEmptyDir" || path !== `${AT_SOURCE}/Scan1`) return;
    done = true;
    world.study("study1", { "Scan1/late.bin": "late" });
  };
  const report = await world.run();
  world.fs.fault = undefined;
  assert.equal(report.exit_code, 1);
  assert.equal(report.items[0].error?.code, "io/not-empty");
  assert.deepEqual(world.files(AT_SOURCE), { "Scan1/late.bin": "late" });
});

Deno.test("S20 a destroy that stops in the middle keeps what it did not reach", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => {
    world.fs.fault = ({ operation, path }) => {
      if (operation === "removeFile" && path === `${AT_SOURCE}/b.txt`) throw systemError("EACCES", path);
    };
  });
  world.fs.fault = undefined;
  assert.equal(report.items[0].error?.code, "io/denied");
  assertSourceWhole(world, { "b.txt": "beta" });
  assertDone(await world.run());
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});
