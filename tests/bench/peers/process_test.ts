import assert from "node:assert/strict";
import { join } from "@std/path";
import { measure, processorMs, residentBytes } from "../../../bench/peers/process.ts";
import { tempDir } from "../../kit/temp.ts";

const deno = Deno.execPath();

Deno.test("measure() returns the output, the time and the peak memory of a child", async () => {
  const held = 64 * 2 ** 20;
  await using dir = await tempDir();
  // It ends once it was looked at with what it holds.
  const code = `const held = new Uint8Array(${held}).fill(1); const wait = () => Deno.stat("go").then(() => ` +
    `console.log(held.length), () => setTimeout(wait, 10)); wait()`;
  const begun = performance.now();
  const isSeen = Deno.build.os === "linux";
  const onSample = (bytes: number) => {
    if (bytes > held || !isSeen) Deno.writeTextFileSync(join(dir.path, "go"), "");
  };
  const { stdout, ms, peakBytes } = await measure([deno, "eval", code], { cwd: dir.path, onSample });
  assert.equal(stdout.trim(), String(held));
  assert.ok(ms > 0 && ms <= performance.now() - begun);
  if (isSeen) assert.ok(peakBytes! > held, `${peakBytes}`);
});

Deno.test("measure() rejects with the end of stderr when the child fails", async () => {
  await assert.rejects(() => measure([deno, "eval", "console.error('broken'); Deno.exit(7)"]), /ended with 7:\nbroken/);
});

Deno.test("processorMs() grows with what a process does", { ignore: Deno.build.os !== "linux" }, () => {
  const before = processorMs(Deno.pid)!;
  while (processorMs(Deno.pid)! <= before);
  assert.equal(processorMs(2 ** 30), undefined);
});

Deno.test("residentBytes() counts the children of a process", { ignore: Deno.build.os !== "linux" }, async () => {
  const own = residentBytes(Deno.pid)!;
  const child = new Deno.Command(deno, {
    args: ["eval", "console.log('up'); await Deno.stdin.read(new Uint8Array(1))"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const alone = residentBytes(child.pid)!;
  assert.ok(alone > 2 ** 20);
  assert.ok(residentBytes(Deno.pid)! > own / 2 + alone);
  await reader.cancel();
  await child.stdin.close();
  await child.status;
  assert.equal(residentBytes(child.pid), undefined);
});
