import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../../core/contract.ts";
import type { RunContext, SourceContext, TreeEntry } from "../../../core/ports.ts";
import { Disk } from "../../../core/io/disk.ts";
import { walkTree } from "../../../core/io/walk.ts";
import { tempDir } from "../../kit/temp.ts";
import { idleFolders, newestStamps, notEligible } from "../../../plugins/sources/idle_folders.ts";

const DAY = 86_400_000;
const MIN = 60_000;
const NOW = Date.parse("2025-06-15T12:00:00Z");
const OLD = NOW - 30 * DAY;

function file(path: string, times: Partial<TreeEntry> = {}): TreeEntry {
  return { path, kind: "file", size: 1, mtimeMs: OLD, ctimeMs: OLD, birthtimeMs: OLD, ...times };
}

interface World {
  folders: Record<string, TreeEntry[] | Error>;
  options?: Record<string, unknown>;
  config?: Record<string, Record<string, number>>;
  now?: number;
}

async function list({ folders, options, config, now = NOW }: World) {
  const log: { level: string; message: string; data?: Record<string, unknown> }[] = [];
  const at = (level: string) => (message: string, data?: Record<string, unknown>) =>
    void log.push({ level, message, data });
  const run = { config: config ?? {} } as unknown as RunContext;
  const context = {
    run,
    signal: new AbortController().signal,
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    clock: { now: () => now, sleep: () => Promise.resolve() },
    async *folders() {
      for (const name of Object.keys(folders).sort()) yield await Promise.resolve({ name, path: `/in/${name}` });
    },
    async *walk({ name }: { name: string }) {
      const entries = folders[name];
      if (entries instanceof Error) throw entries;
      for (const entry of entries) yield await Promise.resolve(entry);
    },
    item: ({ name, path }: { name: string; path: string }): Promise<Item> =>
      name.startsWith("gone")
        ? Promise.reject(new Error("nothing is there"))
        : Promise.resolve({ id: name, name, kind: "tree", root: path, data: {} }),
  } as unknown as SourceContext;
  const source = await idleFolders.open(idleFolders.options.parse({ root: "/in", ...options }), run);
  const names: string[] = [];
  let error: unknown;
  try {
    for await (const item of source.items(context)) names.push(item.name);
  } catch (thrown) {
    error = thrown;
  }
  return { names, log, error };
}

Deno.test("S13 idleFolders.items() yields folders whose newest file is old enough, in order", async () => {
  const { names, log } = await list({
    folders: {
      b: [file("x"), file("y", { mtimeMs: NOW - 14 * DAY, ctimeMs: NOW - 14 * DAY })],
      a: [file("x")],
      c: [file("x"), file("y", { mtimeMs: NOW - 14 * DAY + 1 })],
    },
  });
  assert.deepEqual(names, ["a", "b"]);
  assert.equal(log.length, 1);
  assert.equal(log[0].level, "info");
  assert.match(
    log[0].message,
    /"c" is left for later: "y" was modified 14\.0 days ago, wanted at least 14\.0 days; eligible/,
  );
  assert.deepEqual(log[0].data?.reason, "not-idle");
  assert.equal(log[0].data?.eligible_at, new Date(NOW + 1).toISOString());
});

Deno.test("S13 idleFolders.items() waits until nothing was changed or born within settle", async () => {
  const { names, log } = await list({
    folders: {
      changed: [file("x", { ctimeMs: NOW - 15 * MIN + 1 })],
      born: [file("x", { birthtimeMs: NOW - 5 * MIN })],
      bornfolder: [file("x"), { ...file("d"), kind: "directory", birthtimeMs: NOW - MIN }],
      emptied: [file("x"), { ...file("d"), kind: "directory", ctimeMs: NOW, mtimeMs: NOW }],
      moved: [file("x"), { ...file("d"), kind: "directory", ctimeMs: NOW - MIN }, file("d/y")],
      settled: [file("x", { ctimeMs: NOW - 15 * MIN })],
    },
  });
  assert.deepEqual(names, ["settled"]);
  assert.deepEqual(log.map((line) => line.data?.reason), Array(5).fill("not-settled"));
  assert.match(
    log[0].message,
    /"x" was changed 5 min ago, wanted at least 15 min; eligible from 2025-06-15T12:10:00\.000Z/,
  );
});

Deno.test({
  name: "S13 newestStamps() sees a folder that was moved in, on this system's disk",
  ignore: Deno.build.os !== "linux", // `stat` of other systems tells no fractions of a second
  async fn() {
    await using dir = await tempDir();
    const [from, study] = [`${dir.path}/other/Scan2`, `${dir.path}/mv1`];
    await Deno.mkdir(from, { recursive: true });
    await Deno.mkdir(study);
    await Deno.writeTextFile(`${from}/a.tif`, "alpha");
    const before = await changeTime(from);
    // The system counts such times in ticks of some ms: the move is to be in a later one.
    const tick = `${dir.path}/tick`;
    do await Deno.writeTextFile(tick, "x"); while (await changeTime(tick) <= before);
    await Deno.rename(from, `${study}/Scan2`);
    assert.notEqual(await changeTime(`${study}/Scan2`), before, "a move changes the folder that is moved");
    // As it is a month after everything in it was made, but for the move.
    const entries = (async function* () {
      await using disk = new Disk();
      for await (const entry of walkTree(disk, study)) {
        yield entry.kind === "file" ? file(entry.path) : { ...entry, birthtimeMs: OLD };
      }
    })();
    const { changed } = await newestStamps(entries);
    assert.equal(changed?.path, "Scan2");
    const wanted = { idleMs: 14 * DAY, settleMs: 15 * MIN };
    assert.equal(notEligible({ changed }, { ...wanted, now: changed!.at + MIN })?.data.reason, "not-settled");
  },
});

/** Change time with its fractions of a second, as the system words it. */
async function changeTime(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("stat", { args: ["-c", "%z", path] }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("S13 idleFolders.items() takes settle from the option, then from the config", async () => {
  const folders = { a: [file("x", { ctimeMs: NOW - 20 * MIN })] };
  assert.deepEqual((await list({ folders })).names, ["a"]);
  assert.deepEqual((await list({ folders, config: { backup: { settle_minutes: 30 } } })).names, []);
  const both = await list({ folders, config: { backup: { settle_minutes: 30 } }, options: { settle: "1min" } });
  assert.deepEqual(both.names, ["a"]);
});

Deno.test("S13 idleFolders.items() never takes a stamp in the future for old", async () => {
  const { names, log } = await list({
    folders: {
      a: [file("x", { mtimeMs: NOW + DAY })],
      b: [file("x", { ctimeMs: NOW + DAY })],
      c: [file("x", { mtimeMs: 1e18 })],
    },
    options: { idle: "0s", settle: "0s" },
  });
  assert.deepEqual(names, []);
  for (const line of log) assert.match(line.message, /in the future/);
});

Deno.test("S13 idleFolders.items() waits for a file without a modification time", async () => {
  const { names, log } = await list({ folders: { a: [file("x", { mtimeMs: null })] } });
  assert.deepEqual(names, []);
  assert.equal(log[0].data?.reason, "undated");
});

Deno.test("idleFolders.items() yields a folder without a file, for validation to report", async () => {
  assert.deepEqual((await list({ folders: { a: [] } })).names, ["a"]);
});

Deno.test("S19 idleFolders.items() goes on past a folder it cannot read and fails at the end", async () => {
  const { names, error, log } = await list({ folders: { a: new Error("access denied"), b: [file("x")] } });
  assert.deepEqual(names, ["b"]);
  assert.equal(log[0].level, "error");
  assert.equal((error as { code: string }).code, "source/unreadable");
  assert.match((error as Error).message, /^Cannot look into "a" below "\/in": access denied$/);
  assert.deepEqual(
    (error as { findings: { path: string; message: string }[] }).findings.map((f) => [f.path, f.message]),
    [
      ["a", "access denied"],
    ],
  );
});

Deno.test("S19 idleFolders.items() goes on past a folder that vanishes between the look and the item", async () => {
  const { names, error } = await list({ folders: { "gone-a": [file("x")], b: [file("x")] } });
  assert.deepEqual(names, ["b"]);
  assert.match((error as Error).message, /"gone-a".*nothing is there/);
});

Deno.test("notEligible() lets a folder go exactly from the time it names", async () => {
  const stamp = fc.integer({ min: NOW - 40 * DAY, max: NOW + 40 * DAY });
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(stamp, stamp), { minLength: 1, maxLength: 5 }), async (times) => {
    const stamps = await newestStamps((async function* () {
      for (const [mtimeMs, ctimeMs] of times) yield await Promise.resolve(file("x", { mtimeMs, ctimeMs }));
    })());
    const wanted = { idleMs: 14 * DAY, settleMs: 15 * MIN };
    const verdict = notEligible(stamps, { ...wanted, now: NOW });
    if (verdict === undefined) return;
    const at = Date.parse(verdict.data.eligible_at!);
    assert.ok(at > NOW);
    assert.equal(notEligible(stamps, { ...wanted, now: at }), undefined);
    assert.notEqual(notEligible(stamps, { ...wanted, now: at - 1 }), undefined);
  }));
});

Deno.test("S14 idleFolders.items() takes up a study with a name that is no valid text, so that it fails and is told", async () => {
  const lost = { mtimeMs: null, ctimeMs: null, birthtimeMs: null };
  const { names } = await list({ folders: { a: [file("x"), file("bad\uFFFD", lost)] } });
  assert.deepEqual(names, ["a"]);
  assert.deepEqual((await list({ folders: { a: [file("x"), file("undated", lost)] } })).names, []);
});
