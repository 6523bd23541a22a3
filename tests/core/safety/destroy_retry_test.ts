import assert from "node:assert/strict";
import { systemError } from "../../../testing/memory_file_system.ts";
import { BACKUP, SOURCE_ROOT } from "../../../testing/world.ts";
import { assertDone, AT_SOURCE, worldWith } from "../../kit/rules.ts";

const RETRIED = BACKUP.replace(
  `with = { require = { places = 2 } }`,
  `with = { require = { places = 2 } }\nretry = { attempts = 3, first = "1s", on = ["transient", "io/busy", "io/failed"] }`,
);

for (const when of ["before", "after"] as const) {
  Deno.test(`S5 a destroy that is tried again knows what it removed, when a removal failed ${when} it was done`, async () => {
    await using world = await worldWith();
    let failed = 0;
    world.fs.fault = ({ operation, path }) => {
      if (operation !== "removeFile" || path !== `${AT_SOURCE}/b.txt` || failed > 0) return;
      failed++;
      if (when === "after") world.fs.disk.removeFile(path);
      throw systemError("EBUSY");
    };
    const report = await world.run({ pipeline: RETRIED });
    assert.equal(failed, 1);
    assertDone(report);
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  });
}
