import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { PipelineError } from "../../../core/errors.ts";
import { systemClock } from "../../../core/io/clock.ts";
import { type LedgerOptions, openLedger } from "../../../core/ledger/ledger_file.ts";
import { NO_PREVIOUS } from "../../../core/ledger/line.ts";
import { verifyChain } from "../../../core/ledger/verify_chain.ts";
import { MemoryFileSystem, systemError } from "../../../testing/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";
import { entry, started } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const open = (root: string, more: Partial<LedgerOptions> = {}) =>
  openLedger({ fs: plainDisk(), root, clock: systemClock, host: "scope-1", ...more });
const lines = async (root: string, month: string) =>
  (await Deno.readTextFile(join(root, month))).split("\n").slice(0, -1);

Deno.test("S12 ledger.append() writes one line to the month of started_at, chained to the line before", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  const first = await ledger.append(started("a"));
  const second = await ledger.append(entry("a"));
  assert.equal(first.prev, NO_PREVIOUS);
  const written = await lines(dir.path, "2026-03.jsonl");
  assert.equal(written.length, 2);
  assert.equal(second.prev, sha256(written[0]));
  assert.deepEqual(JSON.parse(written[1]), second);
  assert.deepEqual(await ledger.latest("a"), second);
  assert.equal(await ledger.latest("b"), undefined);
});

Deno.test("ledger.append() writes the fields in the order people were promised", async () => {
  await using dir = await tempDir();
  await open(dir.path).append(started("a", { status: "failed", error: "copy/conflict: x" }));
  const [line] = await lines(dir.path, "2026-03.jsonl");
  assert.deepEqual(
    Object.keys(JSON.parse(line)).join(" "),
    "backup_name run_name source_path truenas_path s3_uri file_count total_bytes started_at truenas_verified_at " +
      "s3_verified_at completed_at source_deleting_at source_deleted_at truenas_evicting_at truenas_evicted_at status " +
      "error places sidecar_sha256 incarnation host prev",
  );
});

Deno.test("ledger.append() chains a month's first line to the last line of the newest earlier month", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  await ledger.append(entry("jan", { started_at: "2026-01-31T23:59:59.999Z" }));
  await ledger.append(entry("feb", { started_at: "2026-02-01T01:00:00+02:00" }));
  const march = await ledger.append(entry("mar", { started_at: "2026-03-01T00:00:00Z" }));
  const january = await lines(dir.path, "2026-01.jsonl");
  assert.equal(january.length, 2, "the month is that of the time in UTC");
  assert.equal(march.prev, sha256(january[1]));
});

Deno.test("S12 ledger.append() closes a torn last line with a newline and never truncates it", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "2026-03.jsonl");
  const warnings: string[] = [];
  await open(dir.path).append(started("a"));
  const whole = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, `${whole}{"backup_name":"a","sta`);
  const ledger = open(dir.path, { warn: (message) => warnings.push(message) });
  const record = await ledger.append(entry("a"));
  assert.equal(record.prev, sha256('{"backup_name":"a","sta'));
  const written = await lines(dir.path, "2026-03.jsonl");
  assert.equal(written.length, 3);
  assert.equal(written[1], '{"backup_name":"a","sta');
  assert.deepEqual(await ledger.latest("a"), record);
  assert.equal((await ledger.torn()).length, 1);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^Line 2 of the ledger 2026-03\.jsonl is left out/);
});

Deno.test("S1 ledger.append() does not count where the folder is another one once it is written", async () => {
  await using dir = await tempDir();
  let looks = 0;
  const ledger = open(dir.path, {
    check: () => ++looks < 2 ? Promise.resolve() : Promise.reject(new PipelineError("place/changed", `Cannot go on`)),
  });
  await assert.rejects(ledger.append(started("a")), { code: "place/changed" });
  assert.equal((await lines(dir.path, "2026-03.jsonl")).length, 1, "it was looked at again behind the act");
});

Deno.test("ledger.latest() sees what other processes and editors did to the file", async () => {
  await using dir = await tempDir();
  const [one, two] = [open(dir.path), open(dir.path)];
  await one.append(started("a"));
  assert.equal((await two.latest("a"))?.status, "in_progress");
  await one.append(entry("a"));
  assert.equal((await two.latest("a"))?.status, "complete");
  await two.append(entry("b"));
  assert.equal((await one.latest("b"))?.status, "complete");
  await Deno.remove(join(dir.path, "2026-03.jsonl"));
  assert.equal(await one.latest("a"), undefined);
});

Deno.test("ledger.latest() gives a copy that its caller may change", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  await ledger.append(entry("a"));
  const record = await ledger.latest("a");
  assert.ok(record);
  record.places.truenas.guarantee = "none";
  assert.equal((await ledger.latest("a"))?.places.truenas.guarantee, "read-back");
});

Deno.test("S4 ledger.append() refuses to weaken a complete record and leaves the file as it was", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  await ledger.append(entry("a"));
  const before = await Deno.readTextFile(join(dir.path, "2026-03.jsonl"));
  for (const status of ["in_progress", "failed", "failed_s3", "failed_truenas", "failed_validation"] as const) {
    await assert.rejects(ledger.append(started("a", { status })), { code: "ledger/weakens" });
    await assert.rejects(ledger.append(started("a", { status, incarnation: "other" })), { code: "ledger/weakens" });
  }
  await assert.rejects(open(dir.path).append(entry("a", { incarnation: "other", sidecar_sha256: "07".repeat(32) })), {
    code: "ledger/weakens",
  });
  assert.equal(await Deno.readTextFile(join(dir.path, "2026-03.jsonl")), before);
  await ledger.append(entry("a", { source_deleting_at: "2026-03-02T00:00:00Z" }));
});

Deno.test("S13 ledger.append() refuses a record that an earlier month would hide", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  await ledger.append(started("a", { started_at: "2026-05-01T00:00:00Z" }));
  await assert.rejects(ledger.append(entry("a", { started_at: "2026-04-30T00:00:00Z" })), { code: "ledger/behind" });
});

Deno.test("S18 ledger.append() refuses a complete record that certifies nothing", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  const bad = [{ file_count: 0 }, { sidecar_sha256: null }, { completed_at: null }, { places: {} }, {
    incarnation: "",
  }];
  for (const more of bad) await assert.rejects(ledger.append(entry("a", more)), { code: "ledger/invalid" });
  await assert.rejects(ledger.append(entry("")), { code: "ledger/invalid" });
  await assert.rejects(ledger.append(entry("a", { started_at: "soon" })), { code: "ledger/invalid" });
});

Deno.test("ledger.append() keeps names with newlines, quotes and half surrogates on one valid line", async () => {
  await using dir = await tempDir();
  const names = ['quo"te', "new\nline", "tab\tnul\0", "back\\slash", "\u2028", "日本", "__proto__"];
  const ledger = open(dir.path);
  for (const name of names) await ledger.append(entry(name));
  const halves = await ledger.append(started("halves", { source_path: "/lone\ud800", error: "\udfff" }));
  assert.equal(halves.source_path, "/lone\ufffd");
  assert.deepEqual(await open(dir.path).latest("halves"), halves);
  await assert.rejects(ledger.append(entry("lone\ud800")), { code: "ledger/invalid" });
  const file = join(dir.path, "2026-03.jsonl");
  const { code, stdout } = await new Deno.Command("jq", { args: ["-c", ".", file], stdout: "piped" }).output();
  assert.equal(code, 0);
  assert.equal(new TextDecoder().decode(stdout).trimEnd().split("\n").length, names.length + 1);
  for (const name of names) assert.equal((await open(dir.path).latest(name))?.backup_name, name);
  assert.equal((await verifyChain(plainDisk(), file)).broken, undefined);
});

Deno.test("ledger.append() keeps keys it does not know", async () => {
  await using dir = await tempDir();
  const ledger = open(dir.path);
  await ledger.append({ ...entry("a"), tape: "LTO-7" } as ReturnType<typeof entry>);
  const record = await ledger.latest("a");
  assert.ok(record);
  const { prev: _prev, ...rest } = record;
  await ledger.append({ ...rest, source_deleting_at: "2026-03-02T00:00:00Z" });
  assert.equal((await open(dir.path).latest("a") as unknown as { tape: string }).tape, "LTO-7");
});

Deno.test("S12 ledger.append() fails when reading back gives other bytes", async () => {
  await using dir = await tempDir();
  const fs = plainDisk({ write: (bytes) => bytes.map((byte) => byte === 0x61 ? 0x62 : byte) });
  await assert.rejects(open(dir.path, { fs }).append(entry("a")), { code: "ledger/read-back", stopsRun: 1 });
});

Deno.test("S22 ledger.append() recovers from a write that a full disk cut short", async () => {
  await using dir = await tempDir();
  let full = true;
  const fs = plainDisk({
    write: (bytes) => full ? bytes.subarray(0, 20) : bytes,
    failAfterWrite: () => full ? Object.assign(new Error("No space left on device"), { code: "ENOSPC" }) : undefined,
  });
  const ledger = open(dir.path, { fs });
  await assert.rejects(ledger.append(started("a")), { code: "io/disk-full" });
  full = false;
  const record = await ledger.append(entry("a"));
  assert.deepEqual(await ledger.latest("a"), record);
  assert.equal((await ledger.torn()).length, 1);
});

Deno.test("ledger.append() says who is in the way when the lock is never free", async () => {
  await using dir = await tempDir();
  using held = await Deno.open(join(dir.path, ".ledger.lock"), { read: true, write: true, create: true });
  await held.lock(true);
  let now = 0;
  const clock = { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) };
  await assert.rejects(open(dir.path, { clock, waitMs: 1000 }).append(entry("a")), {
    code: "ledger/busy",
    retry: "transient",
  });
  assert.ok(now >= 1000);
});

Deno.test("ledger.append() ends its wait for the lock when its signal does, and needs no leave where there is none", async () => {
  await using dir = await tempDir();
  const abort = new AbortController();
  const clock = {
    now: () => 0,
    sleep: (_ms: number, signal?: AbortSignal) => {
      abort.abort();
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
  const ledger = open(dir.path, { clock, signal: abort.signal });
  {
    using held = await Deno.open(join(dir.path, ".ledger.lock"), { read: true, write: true, create: true });
    await held.lock(true);
    await assert.rejects(ledger.append(entry("a")), { name: "AbortError" });
  }
  assert.equal(await ledger.latest("a"), undefined);
  await ledger.append(entry("a"));
  assert.notEqual(await ledger.latest("a"), undefined, "a line that need not wait is written whatever the signal says");
});

Deno.test("a mirror that fails is a warning of the append, not its failure", async () => {
  await using dir = await tempDir();
  const warnings: string[] = [];
  const ledger = open(dir.path, {
    warn: (message) => warnings.push(message),
    onAppended: (month) => Promise.reject(new Error(`no network for ${month}`)),
  });
  await ledger.append(entry("a"));
  assert.equal((await ledger.latest("a"))?.status, "complete");
  assert.match(warnings[0], /no network for 2026-03\.jsonl/);
});

Deno.test("S11 appends of one process at once keep their order and their chain", async () => {
  await using dir = await tempDir();
  const [one, two] = [open(dir.path), open(dir.path)];
  await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).append(entry(`n${i}`))));
  const report = await verifyChain(plainDisk(), join(dir.path, "2026-03.jsonl"));
  assert.deepEqual([report.lines, report.broken, report.torn], [40, undefined, []]);
});

Deno.test("S12 ledger.append() flushes the name of a month that an earlier append could not flush", async () => {
  const fs = new MemoryFileSystem({ files: { "/ledger/": "" } });
  const ledger = openLedger({ fs, root: "/ledger", clock: systemClock, host: "scope-1" });
  fs.fault = ({ operation, path }) => {
    if (operation === "syncDir" && path === "/ledger") throw systemError("ENOTCONN", path);
  };
  await assert.rejects(ledger.append(started("a")), /connection to the disk or share is lost/);
  fs.fault = undefined;
  await ledger.append(entry("a"));
  fs.crash();
  fs.restart(() => true);
  assert.equal((await ledger.latest("a"))?.status, "complete");
});
