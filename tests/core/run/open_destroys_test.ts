import assert from "node:assert/strict";
import { CrashError } from "../../kit/memory_file_system.ts";
import { MANIFEST_ROOT, SOURCE_ROOT, World } from "../../kit/world.ts";

Deno.test("S22 takeUpDestroys() says in the ledger that a folder is gone only after that is on the medium", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === SOURCE_ROOT) throw new CrashError();
  };
  await world.run();
  assert.equal(Object.keys(world.files(SOURCE_ROOT)).length, 0);
  world.fs.restart();
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  const acts: string[] = [];
  world.fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === SOURCE_ROOT) acts.push("the removal is flushed");
    if (operation === "sync" && path.startsWith(MANIFEST_ROOT)) acts.push("the ledger says so");
  };
  assert.equal((await world.run()).exit_code, 0);
  assert.deepEqual(acts, ["the removal is flushed", "the ledger says so"]);
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});
