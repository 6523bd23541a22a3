import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  parseExports,
  parseJunit,
  parseServersLog,
  parseSummary,
  skipReasons,
  totalsLine,
  totalsOf,
} from "../../../tools/testing/report.ts";
import { tempDir } from "../../kit/temp.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.053">
  <testsuite name="./tests/a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="a &gt; &quot;b&quot; &amp; &#39;c&#39;" classname="./tests/a_test.ts" time="0.001" line="1" col="6">
    </testcase>
    <testcase name="none here" classname="./tests/a_test.ts" time="0.000" line="2" col="6">
      <skipped/>
    </testcase>
    <testcase name="fails" classname="./tests/a_test.ts" time="0.000" line="3" col="6">
      <failure message="Uncaught Error">&lt;skipped/&gt;</failure>
    </testcase>
    <testcase name="short" classname="./tests/a_test.ts" time="0.000"/>
  </testsuite>
  <testsuite name="./tests/c_test.ts" tests="1" disabled="0" errors="1" failures="0">
    <testcase name="c1" classname="./tests/c_test.ts" time="0.000" line="1" col="6">
      <error message="Cancelled"/>
    </testcase>
  </testsuite>
</testsuites>`;

Deno.test("parseJunit() reads every case and what became of it", () => {
  assert.deepEqual(parseJunit(XML), [
    { file: "tests/a_test.ts", name: `a > "b" & 'c'`, outcome: "passed" },
    { file: "tests/a_test.ts", name: "none here", outcome: "skipped" },
    { file: "tests/a_test.ts", name: "fails", outcome: "failed" },
    { file: "tests/a_test.ts", name: "short", outcome: "passed" },
    { file: "tests/c_test.ts", name: "c1", outcome: "failed" },
  ]);
  assert.deepEqual(parseJunit(""), []);
});

Deno.test("parseJunit() reads what this deno writes", async () => {
  const file = await Deno.makeTempFile({ suffix: "_test.ts" });
  try {
    await Deno.writeTextFile(file, `Deno.test("one <1>", () => {}); Deno.test.ignore("two", () => {});`);
    const command = new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-lock", "--reporter=dot", "--junit-path=-", file],
      stdin: "null",
      stderr: "null",
    });
    const { stdout } = await command.output();
    const cases = parseJunit(new TextDecoder().decode(stdout));
    assert.deepEqual(cases.map((one) => [one.name, one.outcome]), [["one <1>", "passed"], ["two", "skipped"]]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("totalsOf() counts failures outside of a case, and a run that ended badly", () => {
  const cases = parseJunit(XML);
  assert.deepEqual(totalsOf(cases, { failed: 3, exitCode: 1 }), { passed: 2, failed: 3, skipped: 1 });
  const good = cases.filter((one) => one.outcome === "passed");
  assert.equal(totalsOf(good, { failed: 0, exitCode: 0 }).failed, 0);
  assert.equal(totalsOf(good, { failed: 0, exitCode: 1 }).failed, 1);
  assert.equal(totalsOf([], { failed: 1, exitCode: 1 }).failed, 1);
});

Deno.test("parseSummary() finds a file that could not be loaded in what this deno prints", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(join(dir.path, "a_test.ts"), `Deno.test("one", () => {}); throw new Error("x");`);
  await Deno.writeTextFile(join(dir.path, "b_test.ts"), `Deno.test("two", () => {});`);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-config", "--no-lock", "--no-check"],
    cwd: dir.path,
    stdin: "null",
    stderr: "null",
  });
  const { stdout } = await command.output();
  assert.deepEqual(parseSummary(new TextDecoder().decode(stdout)), { failed: 1, uncaught: ["a_test.ts"] });
  assert.deepEqual(parseSummary("ok | 5 passed | 0 failed (3ms)\n"), { failed: 0, uncaught: [] });
  assert.deepEqual(parseSummary("\x1b[31mFAILED\x1b[0m | 5 passed (1 step) | 12 failed (3ms)").failed, 12);
});

Deno.test("totalsLine() is the line that closes a run", () => {
  assert.equal(totalsLine({ passed: 12, failed: 0, skipped: 3 }), "12 passed, 0 failed, 3 skipped");
});

Deno.test("parseServersLog() names each server once and counts reasons", () => {
  const log = parseServersLog(
    `{"server":"radosgw","version":"16.2.15"}\nversitygw v1.8.0\n\n{"server":"radosgw","version":"16.2.15"}\r\n` +
      `{"skip":"no mailpit here"}\n{"skip":"no mailpit here"}\n`,
  );
  assert.deepEqual(log.servers, ["radosgw 16.2.15", "versitygw v1.8.0"]);
  assert.deepEqual([...log.reasons], [["no mailpit here", 2]]);
  assert.deepEqual(parseServersLog("").servers, []);
});

Deno.test("skipReasons() takes reasons from the log and from names, and counts them", () => {
  const skipped = (name: string) => ({ file: "tests/a_test.ts", name, outcome: "skipped" as const });
  const cases = [skipped("x() [radosgw: nothing there]"), skipped("y() [radosgw: nothing there]"), skipped("z()")];
  const passed = { ...skipped("ran [versitygw]"), outcome: "passed" as const };
  assert.deepEqual([...skipReasons([...cases, passed], parseServersLog(`{"skip":"no root"}`))], [
    ["no root", 1],
    ["radosgw: nothing there", 2],
    ["tests/a_test.ts: z()", 1],
  ]);
});

Deno.test("parseExports() reads what bash would", () => {
  const text =
    `starting\nexport A=http://127.0.0.1:7480\nexport B='it'\\''s'\nexport C="a \\"b\\" \\$c"\nexport D=a\\ b\nE=no\n`;
  assert.deepEqual(parseExports(text), { A: "http://127.0.0.1:7480", B: "it's", C: `a "b" $c`, D: "a b" });
});
