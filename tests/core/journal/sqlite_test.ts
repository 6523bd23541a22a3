import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "@std/path";
import fc from "fast-check";
import type { Evidence } from "../../../core/evidence.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../../core/journal/_schema.ts";
import { openJournal, openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { tempDir } from "../../kit/temp.ts";

const AT = "2026-01-02T03:04:05.678Z";

function evidence(path: string, more: Partial<Evidence> = {}): Evidence {
  return {
    path,
    size: 5,
    sha256: "ab".repeat(32),
    place: "truenas",
    placeUuid: "0b8e6f0a-0000-4000-8000-000000000001",
    uri: `/mnt/nas/${path}`,
    level: "proved",
    guarantee: "read-back",
    at: AT,
    ...more,
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

Deno.test("evidence.put() keeps every field across a reopening", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state", "journal.db");
  const full = evidence("Scan1/a.qptiff", {
    medium: "direct",
    identity: { dev: 2 ** 40, ino: 2 ** 60, size: 5, mtimeMs: 1.5, ctimeMs: null },
    etag: '"abc"',
    versionId: "v1",
    partSize: 8 * 2 ** 20,
    composite: "xyz-3",
  });
  {
    await using journal = await openJournal(path);
    await journal.evidence.put("inc", [full, evidence("b", { level: "written", guarantee: "none" })]);
  }
  await using journal = await openJournal(path);
  assert.deepEqual(await journal.evidence.get("inc", "truenas", "Scan1/a.qptiff"), full);
  assert.equal(await journal.evidence.get("inc", "s3", "Scan1/a.qptiff"), undefined);
  assert.equal(await journal.evidence.get("other", "truenas", "Scan1/a.qptiff"), undefined);
  assert.deepEqual((await collect(journal.evidence.list("inc", "truenas", { level: "proved" }))).map((e) => e.path), [
    "Scan1/a.qptiff",
  ]);
});

Deno.test("evidence.put() keeps every kind of URI", async () => {
  await using journal = await openMemoryJournal();
  const uris = [
    "/mnt/nas/s/a/b",
    "\\\\nas\\s\\a\\b",
    "s3://bucket/s/a/b",
    "s3://bucket/packs/17.tar",
    "",
    "a/b",
    "s3://b/a%2Fb",
  ];
  for (const uri of uris) {
    await journal.evidence.put("inc", [evidence("a/b", { uri })]);
    assert.deepEqual(await journal.evidence.get("inc", "truenas", "a/b"), evidence("a/b", { uri }));
  }
  const later = { ...evidence("later"), member: "x/y" };
  await journal.evidence.put("inc", [later]);
  assert.deepEqual(await journal.evidence.get("inc", "truenas", "later"), later);
});

Deno.test("S3 evidence never crosses incarnations or places", async () => {
  await using journal = await openMemoryJournal();
  await journal.evidence.put("one", [evidence("a"), evidence("a", { place: "s3", sha256: "cd".repeat(32) })]);
  await journal.evidence.put("two", [evidence("a", { size: 9 })]);
  assert.equal((await journal.evidence.get("one", "truenas", "a"))?.size, 5);
  assert.equal((await journal.evidence.get("two", "truenas", "a"))?.size, 9);
  assert.deepEqual(await journal.evidence.places("one"), ["s3", "truenas"]);
  await journal.evidence.remove("one", "s3");
  assert.deepEqual(await journal.evidence.places("one"), ["truenas"]);
  await journal.evidence.remove("one");
  assert.deepEqual(await journal.evidence.places("one"), []);
  assert.deepEqual(await journal.evidence.places("two"), ["truenas"]);
});

Deno.test("evidence.put() replaces, and a rewrite at a weaker level does not keep the stronger one", async () => {
  await using journal = await openMemoryJournal();
  await journal.evidence.put("inc", [evidence("a", { etag: "old" })]);
  await journal.evidence.put("inc", [evidence("a", { level: "written", guarantee: "none" })]);
  assert.deepEqual(
    await journal.evidence.get("inc", "truenas", "a"),
    evidence("a", { level: "written", guarantee: "none" }),
  );
});

Deno.test("S14 evidence.put() refuses names that two files could share", async () => {
  await using journal = await openMemoryJournal();
  for (const path of ["", "a\ud800", "a\0b"]) {
    await assert.rejects(journal.evidence.put("inc", [evidence("ok"), evidence(path)]), TypeError);
  }
  await assert.rejects(journal.evidence.put("inc", [evidence("a", { sha256: "" })]), /the hash is ""/);
  await assert.rejects(journal.evidence.put("inc", [evidence("a", { at: "yesterday" })]), TypeError);
  assert.equal((await journal.evidence.totals("inc", "truenas")).files, 0);
});

Deno.test("evidence.list() streams any set of names in byte order, whatever the page", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 6 }).filter((s) => !s.includes("\0"))),
      async (paths) => {
        await using journal = await openMemoryJournal();
        await journal.evidence.put("inc", paths.map((path) => evidence(path)));
        const bytes = (text: string) => new TextEncoder().encode(text);
        const wanted = [...paths].sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
        assert.deepEqual((await collect(journal.evidence.list("inc", "truenas"))).map((e) => e.path), wanted);
        assert.deepEqual([...(await journal.evidence.getMany("inc", "truenas", wanted)).keys()], wanted);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("evidence.list() pages over thousands and removes them all", async () => {
  await using journal = await openMemoryJournal();
  const paths = Array.from({ length: 45_001 }, (_, i) => `d/${String(i).padStart(6, "0")}`);
  for (let i = 0; i < paths.length; i += 5000) {
    await journal.evidence.put("inc", paths.slice(i, i + 5000).map((path) => evidence(path)));
  }
  assert.deepEqual((await collect(journal.evidence.list("inc", "truenas"))).map((e) => e.path), paths);
  await journal.evidence.remove("inc", "truenas", [paths[0]]);
  assert.equal((await journal.evidence.totals("inc", "truenas")).files, 45_000);
  await journal.evidence.remove("inc");
  assert.equal((await journal.evidence.totals("inc", "truenas")).files, 0);
});

Deno.test("evidence.totals() sums, counts strong proofs and names the weakest", async () => {
  await using journal = await openMemoryJournal();
  assert.deepEqual(await journal.evidence.totals("inc", "truenas"), {
    files: 0,
    bytes: 0,
    strong: 0,
    weakest: null,
    latestAt: null,
  });
  await journal.evidence.put("inc", [
    evidence("a", { size: 2 ** 50, at: "2026-01-02T03:04:05Z" }),
    evidence("b", { size: 2 ** 50, guarantee: "server-checksum", at: "2026-01-02T03:04:05.100Z" }),
    evidence("c", { guarantee: "signed-payload", at: "2026-01-01T00:00:00Z" }),
    evidence("d", { guarantee: "read-back", level: "written", at: "2026-01-01T00:00:00Z" }),
  ]);
  assert.deepEqual(await journal.evidence.totals("inc", "truenas"), {
    files: 4,
    bytes: 2 ** 51 + 10,
    strong: 2,
    weakest: "signed-payload",
    latestAt: "2026-01-02T03:04:05.100Z",
  });
});

Deno.test("evidence.put() that fails before the commit leaves nothing", async () => {
  let fail = false;
  await using journal = await openMemoryJournal({
    hooks: {
      beforeCommit: () => {
        if (fail) throw new Error("power");
      },
    },
  });
  await journal.evidence.put("inc", [evidence("a")]);
  fail = true;
  await assert.rejects(journal.evidence.put("inc", [evidence("a", { size: 7 }), evidence("b")]), /power/);
  fail = false;
  assert.deepEqual((await collect(journal.evidence.list("inc", "truenas"))).map((e) => [e.path, e.size]), [["a", 5]]);
  await journal.evidence.put("inc", [evidence("b")]);
  assert.equal((await journal.evidence.totals("inc", "truenas")).files, 2);
});

Deno.test("steps.finish() is remembered for that incarnation only; a checkpoint ends with it", async () => {
  await using journal = await openMemoryJournal();
  await journal.steps.checkpoint("inc", "copy", "s1", { offset: 10 });
  assert.deepEqual(await journal.steps.readCheckpoint("inc", "copy", "s1"), { offset: 10 });
  assert.equal(await journal.steps.isFinished("inc", "copy", "s1"), false);
  await journal.steps.finish("inc", "copy", "s1");
  assert.equal(await journal.steps.isFinished("inc", "copy", "s1"), true);
  assert.equal(await journal.steps.isFinished("other", "copy", "s1"), false);
  assert.equal(await journal.steps.readCheckpoint("inc", "copy", "s1"), undefined);
  await journal.steps.remove("inc");
  assert.equal(await journal.steps.isFinished("inc", "copy", "s1"), false);
});

Deno.test("steps.forgetCheckpoint() forgets progress, not that a step is finished", async () => {
  await using journal = await openMemoryJournal();
  await journal.steps.checkpoint("inc", "copy", "s1", 1);
  await journal.steps.checkpoint("inc", "copy", "s2", 2);
  await journal.steps.forgetCheckpoint("inc", "copy", "s1");
  assert.equal(await journal.steps.readCheckpoint("inc", "copy", "s1"), undefined);
  assert.equal(await journal.steps.readCheckpoint("inc", "copy", "s2"), 2);
  await journal.steps.finish("inc", "copy", "s2");
  await journal.steps.forgetCheckpoint("inc", "copy", "s2");
  assert.equal(await journal.steps.isFinished("inc", "copy", "s2"), true);
});

Deno.test("S4 an intent stays open, with its first time, until it is closed", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  {
    await using journal = await openJournal(path);
    await journal.intents.open({ incarnation: "inc", place: "source", item: "study", openedAt: AT });
    await journal.intents.open({
      incarnation: "inc",
      place: "source",
      item: "study",
      openedAt: "2027-01-01T00:00:00Z",
    });
  }
  await using journal = await openJournal(path);
  assert.equal((await journal.intents.get("inc", "source"))?.openedAt, AT);
  assert.deepEqual((await journal.openIntents()).map((intent) => intent.item), ["study"]);
  await journal.intents.close("inc", "source");
  assert.deepEqual(await journal.openIntents(), []);
});

Deno.test("uploads, probes, cursors and groups give back what was put", async () => {
  await using journal = await openMemoryJournal();
  const bare = { store: "e/b", key: "k", uploadId: "u", partSize: 8, incarnation: "inc", startedAt: AT };
  const upload = { ...bare, sha256: "ab".repeat(32), mtime: AT, usedAt: AT };
  await journal.uploads.put(upload);
  assert.deepEqual(await journal.uploads.get("e/b", "k"), upload);
  assert.deepEqual(await journal.uploads.list("e/b"), [upload]);
  assert.deepEqual(await journal.uploads.list("e/b", "other"), []);
  const later = "2026-01-03T03:04:05.678Z";
  await journal.uploads.touch({ ...upload, uploadId: "other" }, later);
  assert.deepEqual(await journal.uploads.get("e/b", "k"), upload);
  await journal.uploads.touch(upload, later);
  assert.deepEqual(await journal.uploads.get("e/b", "k"), { ...upload, usedAt: later });
  await journal.uploads.remove("e/b", "k");
  assert.equal(await journal.uploads.get("e/b", "k"), undefined);
  await journal.probes.set("e/b", "put", false, AT);
  assert.deepEqual(await journal.probes.get("e/b", "put"), { holds: false, at: AT });
  assert.equal(await journal.probes.get("e/b", "part"), undefined);
  await journal.cursors.set("log", { offset: 1, gone: null });
  assert.deepEqual(await journal.cursors.get("log"), { offset: 1, gone: null });
  assert.equal(await journal.cursors.get("none"), undefined);
  await journal.joinGroup("slice", "b", 2);
  await journal.joinGroup("slice", "a", 1);
  assert.deepEqual(await journal.group("slice"), [{ item: "a", data: 1 }, { item: "b", data: 2 }]);
});

Deno.test("seen.mark() keeps the latest time of a key, and forgets keys whose time is over", async () => {
  await using journal = await openMemoryJournal();
  assert.equal(await journal.seen.get("k"), undefined);
  await journal.seen.mark("k", 1000, 500);
  await journal.seen.mark("k", 2000, 500);
  assert.equal(await journal.seen.get("k"), 2000);
  await journal.seen.mark("other", 2500, 1);
  assert.equal(await journal.seen.get("k"), 2000);
  await journal.seen.mark("other", 2501, 1);
  assert.equal(await journal.seen.get("k"), undefined);
});

Deno.test("openJournal() brings a journal of the first schema up to date and keeps what it holds", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const { DatabaseSync } = await import("node:sqlite");
  const raw = new DatabaseSync(path);
  raw.exec(`${MIGRATIONS[0]}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
  raw.exec("INSERT INTO cursor VALUES ('log', '7')");
  raw.close();
  await using journal = await openJournal(path);
  await journal.seen.mark("k", 1000, 500);
  assert.equal(await journal.seen.get("k"), 1000);
  assert.equal(await journal.cursors.get("log"), 7);
});

Deno.test("claims.claim() gives a name to one holder until the lease lapses", async () => {
  await using journal = await openMemoryJournal();
  const { claims } = journal;
  assert.equal(await claims.claim("n", "a", { now: 1000, ms: 100 }), true);
  assert.equal(await claims.claim("n", "b", { now: 1099, ms: 100 }), false);
  assert.equal(await claims.heartbeat("n", "a", { now: 1090, ms: 100 }), true);
  assert.equal(await claims.claim("n", "b", { now: 1189, ms: 100 }), false);
  assert.equal(await claims.claim("n", "b", { now: 1190, ms: 100 }), true);
  assert.equal(await claims.heartbeat("n", "a", { now: 1191, ms: 100 }), false);
  await claims.release("n", "a");
  assert.equal(await claims.claim("n", "a", { now: 1192, ms: 100 }), false);
  await claims.release("n", "b");
  assert.equal(await claims.holder("n"), undefined);
  assert.equal(await claims.claim("n", "a", { now: 1193, ms: 100 }), true);
  assert.equal(await claims.holder("n"), "a");
});

Deno.test("S13 a claim stamped in the future lapses after its own length", async () => {
  await using journal = await openMemoryJournal();
  await journal.claims.claim("n", "a", { now: 9_000_000, ms: 100 });
  assert.equal(await journal.claims.claim("n", "b", { now: 1000, ms: 100 }), false);
  assert.equal(await journal.claims.claim("n", "b", { now: 1099, ms: 100 }), false);
  assert.equal(await journal.claims.claim("n", "b", { now: 1100, ms: 100 }), true);
});

Deno.test("S5 latestInstant() is the latest stamp ever written, across a reopening", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  {
    await using journal = await openJournal(path);
    assert.equal(await journal.latestInstant(), 0);
    await journal.startRun({ id: "r1", pipeline: "backup", startedAt: "2026-01-01T00:00:00Z" });
    await journal.evidence.put("inc", [evidence("a"), evidence("b", { at: "2025-01-01T00:00:00Z" })]);
    assert.equal(await journal.latestInstant(), Date.parse(AT));
  }
  await using journal = await openJournal(path);
  await journal.evidence.put("inc", [evidence("c", { at: "2024-01-01T00:00:00Z" })]);
  assert.equal(await journal.latestInstant(), Date.parse(AT));
  await journal.finishRun("r1", "2026-06-01T00:00:00Z", 1);
  assert.equal(await journal.latestInstant(), Date.parse("2026-06-01T00:00:00Z"));
  assert.deepEqual(await journal.runs(), [{
    id: "r1",
    pipeline: "backup",
    startedAt: "2026-01-01T00:00:00Z",
    finishedAt: "2026-06-01T00:00:00Z",
    exitCode: 1,
  }]);
  await assert.rejects(journal.finishRun("none", AT, 0), TypeError);
});

Deno.test("openJournal() refuses a newer schema and leaves the file as it was", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await (await openJournal(path))[Symbol.asyncDispose]();
  const { DatabaseSync } = await import("node:sqlite");
  const raw = new DatabaseSync(path);
  raw.exec("PRAGMA user_version = 99");
  raw.close();
  const before = await Deno.readFile(path);
  await assert.rejects(openJournal(path), { code: "journal/newer", stopsRun: 2 });
  assert.deepEqual(await Deno.readFile(path), before);
});

Deno.test("openJournal() says what to do with a corrupt or foreign file", async () => {
  await using dir = await tempDir();
  const garbage = join(dir.path, "garbage.db");
  await Deno.writeTextFile(garbage, "not a database ".repeat(1000));
  await assert.rejects(openJournal(garbage), (error: { code: string; hint: string }) => {
    assert.equal(error.code, "journal/corrupt");
    assert.match(error.hint, /aside/);
    return true;
  });
  const foreign = join(dir.path, "foreign.db");
  const { DatabaseSync } = await import("node:sqlite");
  const raw = new DatabaseSync(foreign);
  raw.exec("CREATE TABLE theirs (a)");
  raw.close();
  await assert.rejects(openJournal(foreign), { code: "journal/foreign" });
});

Deno.test("a damaged page found later is journal/corrupt too", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  {
    await using journal = await openJournal(path);
    await journal.evidence.put("inc", Array.from({ length: 5000 }, (_, i) => evidence(`f${i}`)));
  }
  const bytes = await Deno.readFile(path);
  bytes.fill(0xff, Math.floor(bytes.length / 3), bytes.length);
  await Deno.writeFile(path, bytes);
  await using journal = await openJournal(path);
  await assert.rejects(collect(journal.evidence.list("inc", "truenas")), { code: "journal/corrupt", stopsRun: 1 });
});

Deno.test("a closed journal answers with an error", async () => {
  const journal = await openMemoryJournal();
  await journal[Symbol.asyncDispose]();
  await journal[Symbol.asyncDispose]();
  await assert.rejects(journal.latestInstant(), TypeError);
});
