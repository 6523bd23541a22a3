import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../../core/io/clock.ts";
import { openLedger } from "../../../core/ledger/ledger_file.ts";
import { verifyChain } from "../../../core/ledger/verify_chain.ts";
import { tempDir } from "../../kit/temp.ts";
import { entry } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";

const WORKER = new URL("./_append_worker.ts", import.meta.url).pathname;

function appender(root: string, name: string, count: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, root, name, count],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function jqLines(file: string): Promise<number> {
  const { code, stdout } = await new Deno.Command("jq", { args: ["-c", ".", file] }).output();
  assert.equal(code, 0);
  return new TextDecoder().decode(stdout).trimEnd().split("\n").length;
}

Deno.test("S11 S12 two processes that append at once leave every line whole and chained", async () => {
  await using dir = await tempDir();
  const children = ["left", "right"].map((name) => appender(dir.path, name, "60"));
  for (const child of children) assert.equal((await child.output()).code, 0);
  const file = join(dir.path, "2026-03.jsonl");
  const report = await verifyChain(plainDisk(), file);
  assert.deepEqual([report.lines, report.broken, report.torn], [120, undefined, []]);
  assert.equal(await jqLines(file), 120);
  const ledger = openLedger({ fs: plainDisk(), root: dir.path, clock: systemClock, host: "scope-1" });
  const all = await ledger.all();
  for (const name of ["left", "right"]) {
    for (let i = 0; i < 60; i++) assert.equal(all.get(`${name}-${i}`)?.status, "complete");
  }
});

Deno.test("S22 kill -9 in the middle of an append leaves a ledger that reads and goes on", async () => {
  await using dir = await tempDir();
  const child = appender(dir.path, "victim", "endless");
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (told.split("\n").length < 20) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`it ended by itself:\n${told}`);
    told += value;
  }
  child.kill("SIGKILL");
  await child.status;
  for (let next = await reader.read(); !next.done; next = await reader.read()) told += next.value;
  const said = told.split("\n").slice(0, -1);
  const file = join(dir.path, "2026-03.jsonl");
  const ledger = openLedger({ fs: plainDisk(), root: dir.path, clock: systemClock, host: "scope-1" });
  const all = await ledger.all();
  for (const name of said) assert.ok(all.has(name), `${name} was told to be appended`);
  const record = await ledger.append(entry("after"));
  assert.deepEqual(await ledger.latest("after"), record);
  const report = await verifyChain(plainDisk(), file);
  assert.equal(report.broken, undefined);
  assert.ok(report.torn.length <= 1);
});
