import assert from "node:assert/strict";
import { openMemoryJournal } from "../../core/journal/sqlite.ts";
import { PLACE_MARKER_NAME } from "../../core/io/names.ts";
import { assertKnownMarker, knownMarker, rememberMarker } from "../../core/safety/known_markers.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";

const NEW = "88888888-0000-4000-8000-000000000008";
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

Deno.test("S1 a marker is known under every spelling of its path, also one that was noted under another", async () => {
  const spellings = {
    windows: ["D:\\Fusion\\Nas", "d:/fusion/nas", "D:\\Fusion\\x\\..\\NAS\\", "D:/Fusion//Nas/"],
    posix: ["/mnt/nas", "/mnt/nas/", "/mnt//x/../nas", "/mnt/./nas"],
  };
  for (const system of ["windows", "posix"] as const) {
    for (const noted of spellings[system]) {
      await using journal = await openMemoryJournal();
      await rememberMarker(journal.cursors, noted, { uuid: OTHER, system });
      for (const asked of spellings[system]) {
        assert.equal(await knownMarker(journal.cursors, asked, system), OTHER, `${asked} after ${noted}`);
      }
      for (const another of ["/mnt/NAS", "/mnt/nas2", "/mnt", "D:\\", "E:\\Fusion\\Nas"]) {
        assert.equal(await knownMarker(journal.cursors, another, system), undefined, another);
      }
    }
  }
});

Deno.test("S1 a marker that an earlier version noted under the words of the config is known still", async () => {
  await using journal = await openMemoryJournal();
  await journal.cursors.set("place-marker:D:/Fusion/Nas", OTHER);
  assert.equal(await knownMarker(journal.cursors, "D:/Fusion/Nas", "windows"), OTHER);
  await rememberMarker(journal.cursors, "D:/Fusion/Nas", { uuid: NEW, system: "windows" });
  assert.equal(await knownMarker(journal.cursors, "D:/Fusion/Nas", "windows"), NEW);
});

Deno.test("S1 a dry run says that the marker is another, and remembers none", async () => {
  await using world = await World.open();
  await rememberMarker(world.journal.cursors, NAS_ROOT, { uuid: OTHER });
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
