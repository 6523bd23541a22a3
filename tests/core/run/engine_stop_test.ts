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
