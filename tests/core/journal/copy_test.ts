import assert from "node:assert/strict";
import { join } from "@std/path";
import type { Evidence } from "../../../core/evidence.ts";
import { copyJournalForReading, openJournal } from "../../../core/journal/sqlite.ts";
import { tempDir } from "../../kit/temp.ts";
import { evidenceOf } from "./_evidence.ts";

const WORKER = new URL("./_writer_worker.ts", import.meta.url).pathname;

/** Everything a folder holds: names, sizes, times and bytes. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const { size, mtime, ino } = await Deno.stat(path);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
    all[name] = `${ino} ${size} ${mtime?.getTime()} ${hash}`;
  }
  return all;
}

async function paths(list: AsyncIterable<Evidence>): Promise<string[]> {
  const all: string[] = [];
  for await (const { path } of list) all.push(path);
  return all;
}

Deno.test("S17 copyJournalForReading() without a journal is empty and makes nothing", async () => {
  await using dir = await tempDir();
  {
    await using journal = await copyJournalForReading(join(dir.path, "state", "journal.db"));
    assert.equal(await journal.latestInstant(), 0);
    await journal.evidence.put("inc", [evidenceOf("a")]);
  }
  assert.deepEqual(await snapshot(dir.path), {});
});

Deno.test("S17 a copy sees what the live journal committed, and nothing done to it reaches the live one", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await using live = await openJournal(path);
  await live.evidence.put("inc", [evidenceOf("a")]);
  const before = await snapshot(dir.path);
  {
    await using copy = await copyJournalForReading(path);
    assert.deepEqual(await paths(copy.evidence.list("inc", "truenas")), ["a"], "also what only the log holds");
    await copy.evidence.put("inc", [evidenceOf("b")]);
    await copy.cursors.set("log", 1);
  }
  assert.deepEqual(await snapshot(dir.path), before);
  assert.deepEqual(await paths(live.evidence.list("inc", "truenas")), ["a"]);
});

Deno.test("S17 a closed journal is copied without a trace, and the copy is removed", async () => {
  await using dir = await tempDir();
  await using temporary = await tempDir();
  const path = join(dir.path, "journal.db");
  {
    await using live = await openJournal(path);
    await live.evidence.put("inc", [evidenceOf("a")]);
  }
  const before = await snapshot(dir.path);
  {
    await using copy = await copyJournalForReading(path, { within: temporary.path });
    assert.equal([...Deno.readDirSync(temporary.path)].length, 1);
    assert.deepEqual(await paths(copy.evidence.list("inc", "truenas")), ["a"]);
  }
  await Deno.writeTextFile(path, "not a database ".repeat(500));
  await assert.rejects(copyJournalForReading(path, { within: temporary.path }), (error: Error & { code: string }) => {
    assert.equal(error.code, "journal/corrupt");
    assert.ok(error.message.includes(`"${path}"`), "the journal is named, not its copy");
    return true;
  });
  assert.deepEqual(await snapshot(temporary.path), {});
  assert.deepEqual(Object.keys(await snapshot(dir.path)).sort(), Object.keys(before).sort());
});

Deno.test("S17 copies made while another process writes and folds its log are whole", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, path, "pairs"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  let latest = 0;
  for (let i = 0; i < 6; i++) {
    await using copy = await copyJournalForReading(path);
    const left = await copy.evidence.totals("inc", "left");
    assert.deepEqual((await copy.evidence.totals("inc", "right")).files, left.files, "one transaction, both or none");
    assert.ok(left.files >= latest);
    latest = left.files;
    assert.equal((await paths(copy.evidence.list("inc", "left"))).length, left.files);
    await reader.read();
  }
  assert.ok(latest > 0);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
});

Deno.test("S22 kill -9 of a writer keeps every commit it told of", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, path, "cursor"],
    stdout: "piped",
  }).spawn();
  let told = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (told.split("\n").length < 30) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`it ended by itself:\n${told}`);
    told += value;
  }
  child.kill("SIGKILL");
  await child.status;
  for (let next = await reader.read(); !next.done; next = await reader.read()) told += next.value;
  const last = Number(told.split("\n").at(-2));
  await using journal = await openJournal(path);
  assert.ok(Number(await journal.cursors.get("count")) >= last);
});

Deno.test("two processes write one journal at once without losing a claim or a row", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const children = ["one", "two"].map((name) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", WORKER, path, "claims", name],
      stdout: "piped",
    })
      .spawn()
  );
  const won: string[] = [];
  for (const child of children) {
    const { code, stdout } = await child.output();
    assert.equal(code, 0);
    won.push(...new TextDecoder().decode(stdout).trimEnd().split("\n"));
  }
  assert.deepEqual(won.filter((name) => name !== "").sort(), Array.from({ length: 100 }, (_, i) => `n${i}`).sort());
  await using journal = await openJournal(path);
  assert.equal((await journal.evidence.totals("inc", "one")).files, 100);
  assert.equal((await journal.evidence.totals("inc", "two")).files, 100);
});

Deno.test("S17 copyJournalForReading() locks through a handle that NFS would lock, and makes no lock file", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "journal.db");
  await using live = await openJournal(path);
  await live.evidence.put("inc", [evidenceOf("a")]);
  const { open } = Deno;
  const opened: Deno.OpenOptions[] = [];
  Deno.open = (file, options) => {
    if (String(file).endsWith(".lock")) opened.push(options ?? {});
    return open(file, options);
  };
  try {
    await using copy = await copyJournalForReading(path);
    assert.deepEqual(await paths(copy.evidence.list("inc", "truenas")), ["a"]);
  } finally {
    Deno.open = open;
  }
  assert.deepEqual(opened[0], { read: true, write: true });
});
