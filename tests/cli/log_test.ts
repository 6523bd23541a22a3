import assert from "node:assert/strict";
import { join } from "node:path";
import { openLogFile } from "../../cli/log_file.ts";
import { openLog } from "../../cli/log.ts";
import type { LogLine, LogOptions } from "../../cli/log.ts";
import { assertLinear } from "../kit/growth.ts";
import { tempDir } from "../kit/temp.ts";

const NOON = Date.parse("2025-06-15T12:00:00Z");

function capture(options: Partial<LogOptions> = {}) {
  let stderr = "";
  const log = openLog({
    format: "text",
    verbose: false,
    quiet: false,
    isTerminal: false,
    env: {},
    now: () => NOON,
    err: (text) => void (stderr += text),
    ...options,
  });
  return { log, stderr: () => stderr };
}

Deno.test("openLog() writes text lines with time, level and data", () => {
  const { log, stderr } = capture();
  log.logger.info("copied {3} files", { place: "truenas", why: undefined });
  log.logger.warn("two\nlines");
  log.logger.debug("not shown");
  const lines = stderr().trimEnd().split("\n");
  assert.match(lines[0], /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}copied \{3\} files place="truenas"$/);
  assert.match(lines[1], /warn {2}two\\nlines$/);
  assert.equal(lines.length, 2);
  log[Symbol.dispose]();
});

Deno.test("openLog() writes one JSON object a line", () => {
  const { log, stderr } = capture({ format: "json", verbose: true });
  log.logger.debug("seen", { count: 3n, at: new Date(NOON) });
  log.logger.error("failed", { error: new RangeError("too far", { cause: "the moon" }) });
  const lines = stderr().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines[0].data, { count: "3", at: "2025-06-15T12:00:00.000Z" });
  assert.equal(lines[0].level, "debug");
  assert.deepEqual(lines[1].data.error, { name: "RangeError", message: "too far", cause: "the moon" });
  log[Symbol.dispose]();
});

Deno.test("openLog() keeps to errors when quiet", () => {
  const { log, stderr } = capture({ quiet: true });
  log.logger.warn("a warning");
  log.logger.error("an error");
  assert.doesNotMatch(stderr(), /a warning/);
  assert.match(stderr(), /an error/);
  log[Symbol.dispose]();
});

Deno.test("openLog() takes secrets out of messages and data, on stderr and in the file", async () => {
  await using dir = await tempDir();
  const { log, stderr } = capture({
    env: { LABFERRY_SMTP_APP_PASSWORD: "abcd-efgh" },
    openFile: () => openLogFile(dir.path, { now: NOON }),
  });
  log.scrubber.add("registered-later");
  log.logger.info("login with abcd-efgh and registered-later", { password: "x", nested: { url: "smtp://a:b@host" } });
  log[Symbol.dispose]();
  const file = await Deno.readTextFile(join(dir.path, "labferry-2025-06-15.log"));
  for (const text of [stderr(), file]) {
    assert.doesNotMatch(text, /abcd-efgh|registered-later|a:b@/);
    assert.match(text, /login with \*\*\*/);
  }
});

Deno.test("openLog() hands warnings and errors to listeners", () => {
  const { log } = capture();
  const seen: LogLine[] = [];
  log.onTrouble((line) => void seen.push(line));
  log.logger.info("fine");
  log.logger.warn("odd", { path: "x" });
  log.logger.error("bad");
  assert.deepEqual(seen.map(({ level, message }) => [level, message]), [["warn", "odd"], ["error", "bad"]]);
  log[Symbol.dispose]();
});

Deno.test("openLog() goes on with stderr when the file cannot be opened or written", () => {
  const { log, stderr } = capture({
    openFile: () => {
      throw new Error("disk full");
    },
  });
  log.logger.info("still here");
  assert.match(stderr(), /warn {2}The log file cannot be written: disk full/);
  assert.match(stderr(), /still here/);
  assert.equal(log.file, undefined);
  log[Symbol.dispose]();
  const failing = capture({
    openFile: () => ({
      path: "x",
      write: () => {
        throw new Error("gone");
      },
      [Symbol.dispose]() {},
    }),
  });
  failing.log.logger.info("one");
  failing.log.logger.info("two");
  assert.equal(failing.stderr().match(/cannot be written: gone/g)?.length, 1);
  assert.match(failing.stderr(), /two/);
  failing.log[Symbol.dispose]();
});

Deno.test("openLogFile() begins a file a day and a part when one is full, and appends to what is there", async () => {
  await using dir = await tempDir();
  const folder = join(dir.path, "state", "logs");
  using file = openLogFile(folder, { now: NOON, maxBytes: 30 });
  file.write("first line of text", NOON);
  file.write("second line of text", NOON);
  file.write("next day", NOON + 86_400_000);
  {
    using again = openLogFile(folder, { now: NOON + 86_400_000, maxBytes: 30 });
    again.write("more", NOON + 86_400_000);
  }
  const read = (name: string) => Deno.readTextFileSync(join(folder, name));
  assert.equal(read("labferry-2025-06-15.log"), "first line of text\n");
  assert.equal(read("labferry-2025-06-15.2.log"), "second line of text\n");
  assert.equal(read("labferry-2025-06-16.log"), "next day\nmore\n");
});

Deno.test("openLogFile() removes its own files of long ago and nothing else", async () => {
  await using dir = await tempDir();
  const names = ["labferry-2025-01-01.log", "labferry-2025-01-01.2.log", "labferry-2025-06-10.log", "notes.log"];
  for (const name of names) await Deno.writeTextFile(join(dir.path, name), "x");
  openLogFile(dir.path, { now: NOON })[Symbol.dispose]();
  const left = [...Deno.readDirSync(dir.path)].map((entry) => entry.name).sort();
  assert.deepEqual(left, ["labferry-2025-06-10.log", "labferry-2025-06-15.log", "notes.log"]);
});

Deno.test("openLog() gives the log that was open before its place back", () => {
  const outer = capture();
  const inner = capture();
  inner.log.logger.info("within");
  inner.log[Symbol.dispose]();
  outer.log.logger.info("afterwards");
  outer.log[Symbol.dispose]();
  assert.match(inner.stderr(), /within\n$/);
  assert.match(outer.stderr(), /^\S+ info {2}afterwards\n$/);
});

Deno.test("openLog() takes a time that grows with a line and no faster, shown or not", () => {
  const { log } = capture();
  assertLinear((text) => {
    log.logger.debug(text, { text });
    log.logger.info(text);
  });
});

/** An error with as many findings, logged as the engine does. */
function logFailure(log: ReturnType<typeof capture>["log"], count: number) {
  const findings = Array.from({ length: count }, (_, at) => (
    { rule: "R5", severity: "error" as const, path: `x${at}.txt`, message: `file "x${at}.txt" does not belong here` }
  ));
  const message = `study1: Cannot accept "study1": R5 ${findings[0].message}; and ${count - 1} more`;
  log.logger.error(message, { code: "validate/nonconforming", findings });
  return message;
}

Deno.test("openLog() keeps an error with its findings one record, and shows them below it", async () => {
  await using dir = await tempDir();
  const { log, stderr } = capture({ openFile: () => openLogFile(dir.path, { now: NOON }) });
  const seen: LogLine[] = [];
  log.onTrouble((line) => seen.push(line));
  const message = logFailure(log, 3);
  log[Symbol.dispose]();
  const shown = ['R5  file "x1.txt" does not belong here', 'R5  file "x2.txt" does not belong here'];
  const lines = stderr().trimEnd().split("\n");
  assert.equal(lines[0].replace(/^\S+ /, ""), `error ${message} code="validate/nonconforming"`);
  assert.deepEqual(lines.slice(1).map((line) => line.replace(/^\S+ /, "")), shown.map((words) => `error   ${words}`));
  const [file, ...more] = (await Deno.readTextFile(join(dir.path, "labferry-2025-06-15.log"))).trimEnd().split("\n");
  assert.deepEqual(more, []);
  assert.ok(file.endsWith(` findings=${JSON.stringify(shown)}`), file);
  assert.deepEqual(seen.map((line) => line.message), [[message, ...shown].join("\n")]);
});

Deno.test("openLog() tells 50 findings of a record, and how many more there are", () => {
  const { log, stderr } = capture({ format: "json" });
  logFailure(log, 151);
  log[Symbol.dispose]();
  const { findings } = JSON.parse(stderr()).data;
  assert.deepEqual([findings.length, findings[49], findings[50]], [
    51,
    'R5  file "x50.txt" does not belong here',
    "100 more findings",
  ]);
});

Deno.test("openLog() leaves data that only has the name of findings as it is", () => {
  const { log, stderr } = capture();
  log.logger.warn("counted", { findings: 3 });
  log.logger.warn("counted", { findings: [1, 2] });
  log[Symbol.dispose]();
  assert.match(stderr(), /counted findings=3\n.*counted findings=\[1,2\]\n$/);
});
