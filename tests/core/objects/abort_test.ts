import assert from "node:assert/strict";
import { abortOld } from "../../../core/objects/abort.ts";
import { bytesSource } from "../../../core/objects/source.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { failure, memoryStore } from "../../../testing/memory_object_store.ts";
import { instantClock, patternBytes } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";

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

Deno.test("abortOld() leaves an upload that a run went on with this week, however long ago it began", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const clock = instantClock();
  const source = bytesSource("a.tif", patternBytes(18 * 2 ** 20));
  /** Sends one more part than there is, then ends as a killed process does. */
  const oneMore = async () => {
    const stop = new AbortController();
    const session = testSession(store, { journal, clock, signal: stop.signal, parallel: 1 });
    await session.trust.report(session.signal);
    await abortOld(session);
    let begun = 0;
    store.hooks = {
      before: ({ name }) => {
        if (name !== "uploadPart") return;
        clock.time += DAY;
        if (++begun === 2) stop.abort(new Error("killed"));
      },
    };
    await assert.rejects(uploadObject(session, { key: "k", source, incarnation: "i1" }), /killed/);
    store.hooks = {};
  };
  await oneMore();
  const [id, { parts }] = [...store.uploads][0];
  clock.time += 5 * DAY;
  await oneMore();
  const [row] = journal.rows.values();
  // Whether the next part is begun before or after the journal is told of the one before is left open.
  assert.ok(Date.parse(row.usedAt) >= clock.time - DAY, "the part that arrived last was told of");
  clock.time += 5 * DAY;
  const session = testSession(store, { journal, clock });
  await abortOld(session);
  assert.deepEqual([...store.uploads.keys()], [id]);
  assert.equal(parts.size, 2);
  clock.time += 3 * DAY;
  await abortOld(session);
  assert.equal(store.uploads.size, 0);
});
