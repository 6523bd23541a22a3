import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../../core/io/clock.ts";
import { openLedger } from "../../../core/ledger/ledger_file.ts";
import { type ChainReport, verifyChain, vouchedLines } from "../../../core/ledger/verify_chain.ts";
import { tempDir } from "../../kit/temp.ts";
import { entry } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";

const disk = plainDisk();

async function chain(root: string): Promise<string> {
  const ledger = openLedger({ fs: disk, root, clock: systemClock, host: "scope-1" });
  await ledger.append(entry("feb", { started_at: "2026-02-01T00:00:00Z" }));
  for (const name of ["a", "b", "c", "d"]) await ledger.append(entry(name));
  return join(root, "2026-03.jsonl");
}

async function edit(file: string, change: (lines: string[]) => string[]): Promise<void> {
  const lines = (await Deno.readTextFile(file)).split("\n").slice(0, -1);
  await Deno.writeTextFile(file, change(lines).map((line) => `${line}\n`).join(""));
}

Deno.test("verifyChain() accepts what append wrote, also a later record of an earlier month", async () => {
  await using dir = await tempDir();
  const file = await chain(dir.path);
  const ledger = openLedger({ fs: disk, root: dir.path, clock: systemClock, host: "scope-1" });
  await ledger.append(entry("late", { started_at: "2026-02-28T00:00:00Z" }));
  for (const month of [file, join(dir.path, "2026-02.jsonl")]) {
    assert.deepEqual((await verifyChain(disk, month)).broken, undefined);
  }
});

Deno.test("verifyChain() finds the line after a changed, removed, added or exchanged one", async () => {
  const cases: [string, (lines: string[]) => string[], number][] = [
    ["changed", (lines) => lines.with(1, lines[1].replace('"file_count":3', '"file_count":4')), 3],
    ["removed", (lines) => lines.toSpliced(1, 1), 2],
    ["added", (lines) => lines.toSpliced(2, 0, lines[0]), 3],
    ["exchanged", (lines) => [lines[0], lines[2], lines[1], lines[3]], 2],
    ["first removed", (lines) => lines.slice(1), 1],
    ["noise put in", (lines) => lines.toSpliced(2, 0, "noise"), 4],
  ];
  for (const [what, change, line] of cases) {
    await using dir = await tempDir();
    const file = await chain(dir.path);
    await edit(file, change);
    assert.equal((await verifyChain(disk, file)).broken?.line, line, what);
  }
});

Deno.test("verifyChain() misses the earlier month that was removed or changed", async () => {
  await using dir = await tempDir();
  const file = await chain(dir.path);
  await Deno.remove(join(dir.path, "2026-02.jsonl"));
  const report = await verifyChain(disk, file);
  assert.equal(report.broken?.line, 1);
  assert.match(report.broken?.why ?? "", /earlier month/);
});

Deno.test("S12 verifyChain() of all months finds lines cut off in any but the newest, up to where a later month follows", async () => {
  await using dir = await tempDir();
  const ledger = openLedger({ fs: disk, root: dir.path, clock: systemClock, host: "scope-1" });
  for (const month of ["02", "03", "04"]) {
    for (const name of ["a", "b", "c"]) {
      await ledger.append(entry(`${month}${name}`, { started_at: `2026-${month}-01T00:00:00Z` }));
    }
  }
  const months = ["02", "03", "04"].map((month) => join(dir.path, `2026-${month}.jsonl`));
  const verifyAll = async (): Promise<ChainReport[]> => {
    const reports: ChainReport[] = [];
    for (const month of months) reports.push(await verifyChain(disk, month));
    return reports;
  };
  const whole = await verifyAll();
  assert.deepEqual(whole.map(({ broken }) => broken), [undefined, undefined, undefined]);
  assert.deepEqual(whole.map((report) => vouchedLines(report, whole)), [3, 3, 0]);
  for (const [at, wanted] of [[0, [1]], [1, [2]], [2, []]] as const) {
    const text = await Deno.readTextFile(months[at]);
    for (const left of [2, 1]) {
      await edit(months[at], (lines) => lines.slice(0, left));
      const found = (await verifyAll()).flatMap(({ broken }, index) => broken ? [index] : []);
      assert.deepEqual(found, wanted, `${left} lines left of ${months[at]}`);
    }
    await Deno.writeTextFile(months[at], text);
  }
  await edit(months[0], (lines) => lines.slice(0, 2));
  const [, march] = await verifyAll();
  assert.equal(march.broken?.line, 1);
  assert.match(march.broken?.why ?? "", /lines were changed or cut off at the end of 2026-02\.jsonl/);
});

Deno.test("verifyChain() does not vouch for what an earlier month got after a later one began", async () => {
  await using dir = await tempDir();
  const file = await chain(dir.path);
  const ledger = openLedger({ fs: disk, root: dir.path, clock: systemClock, host: "scope-1" });
  await ledger.append(entry("late", { started_at: "2026-02-28T00:00:00Z" }));
  const reports = [await verifyChain(disk, join(dir.path, "2026-02.jsonl")), await verifyChain(disk, file)];
  assert.deepEqual(reports.map((report) => [report.lines, vouchedLines(report, reports)]), [[2, 1], [4, 0]]);
});

Deno.test("verifyChain() names torn lines and goes on over them", async () => {
  await using dir = await tempDir();
  const file = await chain(dir.path);
  await Deno.writeTextFile(file, '{"half', { append: true });
  const ledger = openLedger({ fs: disk, root: dir.path, clock: systemClock, host: "scope-1" });
  await ledger.append(entry("e"));
  const report = await verifyChain(disk, file);
  assert.deepEqual([report.broken, report.lines, report.torn.map(({ line }) => line)], [undefined, 6, [5]]);
});
