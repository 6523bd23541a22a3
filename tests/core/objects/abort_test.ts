import assert from "node:assert/strict";
import { failure } from "../../kit/memory_object_store.ts";
import { patternBytes } from "../../kit/object_session.ts";
import { SOURCE_ROOT, World } from "../../kit/world.ts";

const DAY = 86_400_000;

Deno.test("abortOld() gives up, at the start of a run, what nobody went on with for a week", async () => {
  await using world = await World.open();
  world.study("study1", { "a.tif": patternBytes(6 * 2 ** 20) });
  let parts = 0;
  world.store.hooks = {
    before: ({ name, key }) => {
      if (name !== "uploadPart" || !key.endsWith("a.tif")) return Promise.resolve();
      return ++parts > 1 ? Promise.reject(failure("denied")) : Promise.resolve();
    },
  };
  assert.equal((await world.run()).exit_code, 1);
  assert.equal(world.store.uploads.size, 1, "it is kept, to be gone on with");
  // The study is gone: nobody comes back to its upload.
  world.fs.disk.rename(`${SOURCE_ROOT}/study1`, "/instrument/elsewhere");
  world.store.hooks = {};
  world.clock.time += 6 * DAY;
  await world.run({ dryRun: true });
  assert.equal((await world.run()).exit_code, 0);
  assert.equal(world.store.uploads.size, 1);

  world.clock.time += 2 * DAY;
  await world.run({ dryRun: true });
  assert.equal(world.store.uploads.size, 1, "a dry run changes nothing");
  world.store.hooks = { before: ({ name }) => name === "abortUpload" ? Promise.reject(failure("denied")) : undefined };
  assert.equal((await world.run()).exit_code, 0, "a store that refuses stops no run");
  assert.ok(world.log.lines.some(({ level, message }) => level === "warn" && /give up the upload/.test(message)));
  world.store.hooks = {};
  assert.equal((await world.run()).exit_code, 0);
  assert.equal(world.store.uploads.size, 0);
});
