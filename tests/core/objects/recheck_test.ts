import assert from "node:assert/strict";
import type { Evidence } from "../../../core/evidence.ts";
import { compareKeys } from "../../../core/objects/keys.ts";
import { recheckObjects } from "../../../core/objects/recheck.ts";
import { bytesSource } from "../../../core/objects/source.ts";
import { uploadMany } from "../../../core/objects/upload.ts";
import { failure, type MemoryStore, memoryStore } from "../../../testing/memory_object_store.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { testSession } from "../../kit/object_session.ts";

const PREFIX = "data/study1/";

/** Uploads small files and returns their evidence in byte order of their paths. */
async function uploaded(store: MemoryStore, paths: string[]): Promise<Evidence[]> {
  const requests = paths.map((path, n) => ({
    key: PREFIX + path,
    source: bytesSource(path, patternBytes(n + 1)),
    incarnation: "i",
  }));
  const rows: Evidence[] = [];
  for await (const outcome of uploadMany(testSession(store), requests)) {
    assert.ok(outcome.ok);
    const { key, size, sha256, uri, guarantee, etag, versionId, at } = outcome.object;
    rows.push({
      path: key.slice(PREFIX.length),
      size,
      sha256,
      place: "s3",
      placeUuid: store.uri,
      uri,
      level: "proved",
      guarantee,
      at,
      etag: etag ?? undefined,
      versionId: versionId ?? undefined,
    });
  }
  store.calls.length = 0;
  return rows.sort((a, b) => compareKeys(a.path, b.path));
}

const PATHS = ["a", "a/b c.tif", "z+%", "ü\n", "\u{1f9ec}", "\uffee"];

Deno.test("S5b recheckObjects() confirms what is as it was, in one listing", async () => {
  const store = memoryStore();
  const evidence = await uploaded(store, PATHS);
  assert.deepEqual(await recheckObjects(testSession(store), { prefix: PREFIX, evidence }), {
    confirmed: 6,
    problems: [],
  });
  assert.deepEqual(store.calls.map((call) => call.name), ["list"]);
});

Deno.test("S5b recheckObjects() reports what is gone, of another size, or written again", async () => {
  const store = memoryStore();
  const evidence = await uploaded(store, ["gone", "same", "size", "touched"]);
  store.objects.delete(`${PREFIX}gone`);
  const size = store.objects.get(`${PREFIX}size`)!;
  store.objects.set(`${PREFIX}size`, { ...size, bytes: patternBytes(99) });
  const touched = store.objects.get(`${PREFIX}touched`)!;
  store.objects.set(`${PREFIX}touched`, { ...touched, etag: "other" });
  const { confirmed, problems } = await recheckObjects(testSession(store), { prefix: PREFIX, evidence });
  assert.equal(confirmed, 1);
  assert.deepEqual(problems.map(({ path, why }) => [path, why.replace(/was .*/, "was …")]), [
    ["gone", "it is gone"],
    ["size", "it has 99 bytes and had 3"],
    ["touched", "its ETag is other and was …"],
  ]);
});

Deno.test("S21 recheckObjects() asks for each version where the store keeps them", async () => {
  const store = memoryStore({ versioned: true });
  const evidence = await uploaded(store, ["a", "b", "c"]);
  const b = store.objects.get(`${PREFIX}b`)!;
  store.objects.set(`${PREFIX}b`, { ...b, versionId: "rewritten" });
  const { confirmed, problems } = await recheckObjects(testSession(store), { prefix: PREFIX, evidence });
  assert.equal(confirmed, 2);
  assert.match(problems[0].why, /its version is rewritten and was v/);
  assert.equal(store.calls.filter((call) => call.name === "head").length, 3);
});

Deno.test("S18 recheckObjects() of study1 does not count what lies in study10", async () => {
  const store = memoryStore();
  const evidence = await uploaded(store, ["a"]);
  const object = store.objects.get(`${PREFIX}a`)!;
  store.objects.delete(`${PREFIX}a`);
  store.objects.set("data/study10/a", object);
  const { confirmed, problems } = await recheckObjects(testSession(store), { prefix: PREFIX, evidence });
  assert.equal(confirmed, 0);
  assert.equal(problems[0].why, "it is gone");
  assert.throws(() => recheckObjects(testSession(store), { prefix: "data/study1", evidence }), TypeError);
});

Deno.test("S18 recheckObjects() confirms no row without an ETag, nor one of another place", async () => {
  const store = memoryStore();
  const [a, b] = await uploaded(store, ["a", "b"]);
  const evidence = [{ ...a, etag: undefined }, { ...b, uri: "s3://elsewhere/b" }];
  const { confirmed, problems } = await recheckObjects(testSession(store), { prefix: PREFIX, evidence });
  assert.equal(confirmed, 0);
  assert.deepEqual(problems.map(({ why }) => why), ["its evidence has no ETag", "its evidence is of s3://elsewhere/b"]);
});

Deno.test("recheckObjects() takes 1,000 of many objects in one listing that breaks off", async () => {
  const store = memoryStore();
  const paths = Array.from({ length: 3000 }, (_, n) => `tiles/${String(n).padStart(5, "0")}.tif`);
  const evidence = await uploaded(store, paths);
  let breaks = 1;
  const list = store.list;
  store.list = async function* (prefix, signal, options) {
    let given = 0;
    for await (const object of list.call(store, prefix, signal, options)) {
      if (given++ === 500 && breaks-- > 0) throw failure("unreachable");
      yield object;
    }
  };
  const batch = evidence.slice(1000, 2000);
  const result = await recheckObjects(testSession(store), { prefix: PREFIX, evidence: batch });
  assert.deepEqual(result, { confirmed: 1000, problems: [] });
  assert.equal(store.calls.length, 2);
});

Deno.test("recheckObjects() explains a store that refuses", async () => {
  const store = memoryStore();
  const evidence = await uploaded(store, ["a"]);
  store.hooks = {
    before: () => {
      throw failure("denied");
    },
  };
  await assert.rejects(recheckObjects(testSession(store), { prefix: PREFIX, evidence }), { code: "s3/denied" });
});

Deno.test("recheckObjects() leaves nothing running when one look at a version fails", async () => {
  const store = memoryStore({ versioned: true });
  const evidence = await uploaded(store, Array.from({ length: 50 }, (_, n) => `f${n + 10}`));
  let running = 0;
  store.hooks = {
    before: async ({ name, key }) => {
      if (name !== "head") return;
      running++;
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      running--;
      if (key.endsWith("f12")) throw failure("denied");
    },
  };
  await assert.rejects(recheckObjects(testSession(store), { prefix: PREFIX, evidence }), { code: "s3/denied" });
  const asked = store.calls.length;
  assert.equal(running, 0);
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
  assert.equal(store.calls.length, asked);
  assert.ok(asked < 20, `${asked} requests`);
});
