import assert from "node:assert/strict";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

const FILES = { "a.txt": "alpha", "Scan1/b ü.bin": "beta", "Scan1/empty": "", "Scan1/\nnew\\line": "gamma" };

Deno.test("runPipeline() archives a study at two places, records it and frees the instrument", async () => {
  await using world = await World.open();
  world.study("study1", FILES);
  const report = await world.run();
  assert.equal(report.exit_code, 0, JSON.stringify([report.error, report.items[0]?.error]));
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  const copied = world.files(NAS_ROOT);
  for (const [path, content] of Object.entries(FILES)) assert.equal(copied[`study1/${path}`], content);
  for (const [path, content] of Object.entries(FILES)) {
    assert.equal(new TextDecoder().decode(world.objects()[`study1/${path}`]), content);
  }
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete");
  assert.notEqual(record?.source_deleted_at, null);
  assert.equal(record?.places.truenas.guarantee, "read-back");
  assert.equal(record?.places.s3.guarantee, "server-checksum");
  assert.equal(record?.file_count, 4);
});
