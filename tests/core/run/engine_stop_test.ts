import assert from "node:assert/strict";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

Deno.test("runPipeline() hears the wish to stop while the source looks through a study", async () => {
  for (const how of ["stop", "abort"] as const) {
    await using world = await World.open();
    for (const name of ["study1", "study2", "study3"]) world.study(name, { "a.txt": "alpha", "Scan1/b.txt": "beta" });
    const wish = new AbortController();
    const looked = new Set<string>();
    world.fs.fault = ({ operation, path }) => {
      if (operation !== "readDir" || !path.startsWith(`${SOURCE_ROOT}/`)) return;
      looked.add(path);
      wish.abort();
    };
    const report = await world.run({ [how]: wish.signal });
    assert.equal(report.exit_code, 130, how);
    assert.deepEqual(report.items, [], how);
    assert.deepEqual([...looked], [`${SOURCE_ROOT}/study1`], how);
    assert.deepEqual(world.files(NAS_ROOT), {});
  }
});

Deno.test("S9 a run that is told to stop during the last look at a file does not remove it", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta", "c.txt": "gamma" });
  const abort = new AbortController();
  let removed = 0;
  world.fs.fault = ({ operation, path }) => {
    if (!path.startsWith(`${SOURCE_ROOT}/study1/`) || !path.endsWith(".txt")) return;
    if (operation === "removeFile") removed++;
    if (operation === "lstat" && removed === 1) abort.abort();
  };
  const report = await world.run({ abort: abort.signal });
  assert.equal(report.exit_code, 130);
  assert.equal(removed, 1);
});
