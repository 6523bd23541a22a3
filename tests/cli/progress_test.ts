import assert from "node:assert/strict";
import { Progress } from "../../cli/progress.ts";
import { showProgress } from "../../cli/progress_view.ts";
import { createScreen } from "../../cli/screen.ts";
import { recordingLog } from "../stages/_read_stage.ts";
import { fakeTerminal } from "./_terminal.ts";

const MIB = 2 ** 20;

Deno.test("Progress shows share, rate and time left of each stage at work", () => {
  let now = 0;
  const progress = new Progress(() => now);
  progress.itemStarted("study");
  assert.deepEqual(progress.lines()[0], "study  …");
  progress.stageStarted("study", "truenas", { files: 2, bytes: 100 * MIB });
  for (let step = 0; step < 25; step++) {
    now += 200;
    progress.bytes("study", "truenas", MIB);
  }
  assert.equal(progress.lines()[0], "study  truenas  25 %  25.0 MiB of 100 MiB  5.00 MiB/s  15 s left");
  assert.equal(
    progress.summary(),
    "no item finished, 1 item at work, 25.0 MiB, 5.00 MiB/s, 15 s left of what is at work, 5.0 s elapsed",
  );
});

Deno.test("Progress takes the rate over the last seconds, so that a stall shows", () => {
  let now = 0;
  const progress = new Progress(() => now);
  progress.itemStarted("a");
  progress.stageStarted("a", "copy");
  for (let second = 0; second < 60; second++) {
    now += 1000;
    progress.bytes("a", "copy", 10 * MIB);
  }
  assert.equal(Math.round(progress.rate() / MIB), 10);
  now += 60_000;
  assert.equal(progress.rate(), 0);
  progress.bytes("a", "copy", MIB);
  assert.ok(progress.rate() <= MIB);
});

Deno.test("Progress never says 100 % before a stage is finished", () => {
  const progress = new Progress(() => 1000);
  progress.stageStarted("a", "copy", { files: 1, bytes: 10 });
  progress.bytes("a", "copy", 20);
  assert.match(progress.lines()[0], /99 %/);
  progress.stageFinished("a", "copy");
  progress.itemFinished("a", "done");
  assert.equal(progress.lines().length, 1);
  assert.match(progress.summary(), /^1 done, 20 B/);
});

Deno.test("showProgress() draws over its lines on a terminal and clears them at the end", () => {
  const fake = fakeTerminal({ errIsTerminal: true, columns: 40 });
  const screen = createScreen(fake.terminal);
  const { log } = recordingLog();
  const globals = { verbose: false, quiet: false, logFormat: "text" as const };
  {
    using progress = showProgress({ terminal: fake.terminal, screen, globals, log });
    progress.sink.itemStarted?.("a-study-with-a-name-longer-than-the-terminal-is-wide");
    fake.tick();
    screen.write("a log line\n");
    fake.tick();
  }
  const text = fake.stderr();
  assert.match(text, /\r\x1b\[2A\x1b\[Ja log line\n/);
  assert.ok(text.endsWith("\r\x1b[2A\x1b[J"));
  for (const line of text.split("\n")) assert.ok([...line.replace(/\r?\x1b\[\d*[AJ]/g, "")].length < 40, line);
  fake.tick();
  assert.equal(fake.stderr(), text);
});

Deno.test("showProgress() logs a line when there is no terminal, and nothing when quiet", () => {
  const fake = fakeTerminal();
  const screen = createScreen(fake.terminal);
  const { log, lines } = recordingLog();
  const globals = { verbose: false, quiet: false, logFormat: "json" as const };
  {
    using _progress = showProgress({ terminal: fake.terminal, screen, globals, log });
    fake.tick();
  }
  assert.equal(lines.length, 1);
  using _quiet = showProgress({ terminal: fake.terminal, screen, globals: { ...globals, quiet: true }, log });
  fake.tick();
  assert.equal(lines.length, 1);
  assert.equal(fake.stderr(), "");
});
