import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { createArgv, deleteArgv, endArgv, schtasks } from "../../../plugins/schedulers/schtasks.ts";
import { AT_START, fakeHost, MONTHLY } from "./_host.ts";

const ACCOUNT = { user: "LAB\\ada", password: "s3cret word" };
const TASKS = [MONTHLY, AT_START];

Deno.test("schtasks.register() hands each task over as a file of XML, and makes one of that name give way", async () => {
  const { host, calls, temporary } = fakeHost();
  const changes = await schtasks.open(host).register(TASKS, ACCOUNT);
  assert.deepEqual(changes.map(({ change }) => change), ["registered", "registered"]);
  assert.deepEqual(calls[0], [
    "schtasks.exe",
    ...["/Create", "/TN", "LabferryBackup", "/XML", "/tmp/LabferryBackup.xml"],
    ...["/RU", "LAB\\ada", "/RP", "s3cret word", "/F", "/HRESULT"],
  ]);
  assert.deepEqual(calls.map((call) => call[3]), ["LabferryBackup", "LabferryMonitor"]);
  const xml = new TextDecoder("utf-16le").decode(temporary.get("LabferryBackup.xml"));
  assert.match(xml, /^<\?xml version="1.0" encoding="UTF-16"\?>/);
  assert.doesNotMatch(xml, /s3cret/);
});

Deno.test("schtasks.register() registers nothing when one task cannot be", async () => {
  const { host, calls } = fakeHost();
  const bad = { ...AT_START, workingDirectory: "C:\\%TEMP%" };
  await assert.rejects(schtasks.open(host).register([MONTHLY, bad], ACCOUNT), PipelineError);
  assert.deepEqual(calls, []);
});

Deno.test("schtasks.register() says what schtasks says, and what to do in any language", async () => {
  const cases: [number, RegExp][] = [
    [0x80070005, /Run as administrator/],
    [-2147024891, /Run as administrator/],
    [0x8007052e, /password is wrong/],
    [1, /batch job/],
  ];
  for (const [code, hint] of cases) {
    const { host } = fakeHost({ answer: () => ({ code, output: "\r\nFEHLER: Zugriff verweigert.\r\n" }) });
    await assert.rejects(schtasks.open(host).register([MONTHLY], ACCOUNT), (error) => {
      assert.ok(error instanceof PipelineError);
      assert.match(error.message, /"LabferryBackup".*FEHLER: Zugriff verweigert$/);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  }
});

Deno.test("schtasks.unregister() takes a task that is not there for no error", async () => {
  for (const code of [0x80070002, -2147024894, 0x80070003]) {
    const { host, calls } = fakeHost({ answer: (argv) => argv.includes("LabferryMonitor") ? { code } : undefined });
    const changes = await schtasks.open(host).unregister(TASKS);
    assert.deepEqual(changes.map(({ change }) => change), ["removed", "absent"]);
    assert.deepEqual(calls, [
      [...deleteArgv("LabferryBackup")],
      [...endArgv("LabferryMonitor")],
      [...deleteArgv("LabferryMonitor")],
    ], "a monitor that runs is ended first");
  }
});

Deno.test("schtasks.unregister() believes another failure only when a listing lacks the task", async () => {
  const listing = (output: string, code = 0) =>
    fakeHost({ answer: (argv) => argv.includes("/Query") ? { code, output } : { code: 1, output: "ERROR: no" } }).host;
  const other = '"\\Other","N/A","Ready"\r\n"\\LabferryBackup2","N/A","Ready"\r\n';
  const absent = await schtasks.open(listing(other)).unregister([MONTHLY]);
  assert.equal(absent[0].change, "absent");
  for (const host of [listing(`${other}"\\labferrybackup","N/A","Ready"\r\n`), listing("", 1)]) {
    await assert.rejects(
      schtasks.open(host).unregister([MONTHLY]),
      (error) => error instanceof PipelineError && error.code === "schedule/refused",
    );
  }
});

Deno.test("schtasks.account() is who is logged on", () => {
  assert.equal(schtasks.account?.({ USERDOMAIN: "LAB", USERNAME: "ada" }), "LAB\\ada");
  assert.equal(schtasks.account?.({ USERNAME: "ada" }), undefined);
});

Deno.test("schtasks.advice() names the variables that a task cannot carry", () => {
  const tasks = TASKS.map((task) => ({ ...task, environment: { LABFERRY_STATE_DIR: "D:\\state" } }));
  const lines = schtasks.advice(tasks).filter((line) => line.includes('setx LABFERRY_STATE_DIR "D:\\state"'));
  assert.equal(lines.length, 1);
});

Deno.test("createArgv() keeps user and password apart from everything else", () => {
  const argv = createArgv("T", "C:\\a b.xml", { user: "L\\a b", password: '"/F' });
  assert.deepEqual(argv.slice(6, 10), ["/RU", "L\\a b", "/RP", '"/F']);
});
