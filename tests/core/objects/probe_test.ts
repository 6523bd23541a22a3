import assert from "node:assert/strict";
import { type StoreOperation } from "../../../core/objects/probe.ts";
import { failure, memoryStore } from "../../../testing/memory_object_store.ts";
import { instantClock, memoryLog } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";

const DAY_MS = 86_400_000;
const ALL: Record<StoreOperation, boolean> = {
  "put-checksum": true,
  "put-if-absent": true,
  "part-checksum": true,
  "part-md5-etag": true,
  "complete-checksum": true,
  "complete-if-absent": true,
};

Deno.test("S8 openTrust() trusts a store that refuses what it must", async () => {
  const session = testSession(memoryStore());
  assert.deepEqual(await session.trust.report(session.signal), ALL);
});

Deno.test("S8 openTrust() does not trust a store that takes wrong checksums", async () => {
  const session = testSession(memoryStore({ checksums: false, completeIfAbsent: false }));
  assert.deepEqual(await session.trust.report(session.signal), {
    ...ALL,
    "put-checksum": false,
    "part-checksum": false,
    "complete-checksum": false,
    "complete-if-absent": false,
  });
});

Deno.test("S8 openTrust() does not trust a store that refuses wrong checksums and echoes none", async () => {
  const store = memoryStore({ answer: (_call, result) => ({ ...result, sha256: null }) });
  const session = testSession(store);
  const report = await session.trust.report(session.signal);
  assert.equal(report["put-checksum"], false);
  assert.equal(report["part-checksum"], false);
  assert.equal(report["complete-checksum"], false);
});

Deno.test("S8 openTrust() does not trust a store that refuses everything", async () => {
  const log = memoryLog();
  const journal = memoryUploads();
  const store = memoryStore({
    before: (call) => {
      if (call.name === "put" || call.name === "uploadPart") throw failure("bad-request");
    },
  });
  const session = testSession(store, { log, journal });
  const report = await session.trust.report(session.signal);
  assert.ok(Object.values(report).every((holds) => !holds));
  assert.equal(journal.verdicts.size, 0, "what could not be probed is not remembered");
  assert.match(log.lines.find((line) => line.level === "warn")!.message, /read back/);
});

Deno.test("S8 openTrust() leaves nothing behind, under any answer", async () => {
  for (const options of [{}, { checksums: false, putIfAbsent: false, completeIfAbsent: false }]) {
    const store = memoryStore(options);
    const session = testSession(store, { prefix: "data" });
    await session.trust.report(session.signal);
    assert.equal(store.objects.size, 0);
    assert.equal(store.uploads.size, 0);
    const keys = store.calls.map((call) => call.key);
    assert.ok(keys.length > 5 && keys.every((key) => /^data\/_probe\/[0-9A-Z]{26}$/.test(key)), keys.join());
  }
});

Deno.test("S8 openTrust() remembers for 30 days", async () => {
  const store = memoryStore();
  const journal = memoryUploads();
  const clock = instantClock();
  const first = testSession(store, { journal, clock });
  await first.trust.report(first.signal);
  const probed = store.calls.length;
  clock.time += 29 * DAY_MS;
  const second = testSession(store, { journal, clock });
  assert.deepEqual(await second.trust.report(second.signal), ALL);
  assert.equal(store.calls.length, probed);
  clock.time += 2 * DAY_MS;
  const third = testSession(store, { journal, clock });
  await third.trust.report(third.signal);
  assert.equal(store.calls.length, 2 * probed);
});

Deno.test("S13 openTrust() does not believe a verdict from the future", async () => {
  const store = memoryStore({ checksums: false });
  const journal = memoryUploads();
  const clock = instantClock();
  await journal.probes.set(store.identity, "put-checksum", true, new Date(clock.time + 1000).toISOString());
  const session = testSession(store, { journal, clock });
  assert.equal(await session.trust.trusts("put-checksum", session.signal), false);
});

Deno.test("openTrust() probes once for questions asked at the same time", async () => {
  const store = memoryStore();
  const session = testSession(store);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => session.trust.trusts("put-checksum", session.signal)),
  );
  assert.deepEqual(answers, [true, true, true, true, true]);
  assert.equal(store.calls.filter((call) => call.name === "put").length, 3);
});

Deno.test("openTrust() stopped by one asker still answers the other", async () => {
  const store = memoryStore();
  const session = testSession(store);
  const stop = new AbortController();
  store.hooks = { before: () => stop.abort(new Error("stopped")) };
  const first = session.trust.trusts("put-checksum", stop.signal);
  const second = session.trust.trusts("put-checksum", session.signal);
  await assert.rejects(first, /stopped/);
  assert.equal(await second, true);
});

Deno.test("openTrust() waits out a store that is busy", async () => {
  let busy = 3;
  const store = memoryStore({
    before: () => {
      if (busy-- > 0) throw failure("throttled");
    },
  });
  const session = testSession(store);
  assert.equal(await session.trust.trusts("put-checksum", session.signal), true);
});
