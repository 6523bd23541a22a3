import assert from "node:assert/strict";
import { PLACE_MARKER_NAME } from "../../core/io/names.ts";
import { assertKnownMarker, knownMarker, rememberMarker } from "../../core/safety/known_markers.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../kit/world.ts";

const OTHER = "99999999-0000-4000-8000-000000000009";

Deno.test("S1 a NAS whose marker is another than earlier runs knew ends the run with exit 2 and gets nothing", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  assert.equal((await world.run()).exit_code, 0);
  world.study("study2", { "b.txt": "beta" });
  world.fs.seed({ [`${NAS_ROOT}/${PLACE_MARKER_NAME}`]: `${OTHER}\n` });
  const report = await world.run();
  assert.deepEqual([report.exit_code, report.error?.code], [2, "place/other-marker"]);
  assert.match(report.error?.message ?? "", /earlier runs knew this place by 00000000-0000-4000-8000-000000000002$/);
  assert.equal(world.files(SOURCE_ROOT)["study2/b.txt"], "beta");
  assert.equal(world.files(NAS_ROOT)["study2/b.txt"], undefined);
});

Deno.test("S1 a dry run says that the marker is another, and remembers none", async () => {
  await using world = await World.open();
  await rememberMarker(world.journal.cursors, NAS_ROOT, OTHER);
  await assert.rejects(
    assertKnownMarker(world.journal.cursors, { id: "truenas", path: NAS_ROOT, uuid: undefined }),
    { code: "place/other-marker", stopsRun: 2 },
  );
  world.study("study1", { "a.txt": "alpha" });
  const report = await world.run({
    dryRun: true,
    wrap: (services) => ({ ...services, journal: world.journal }),
  });
  assert.deepEqual([report.exit_code, report.error?.code], [2, "place/other-marker"]);
  assert.equal(await knownMarker(world.journal.cursors, NAS_ROOT), OTHER);
});
