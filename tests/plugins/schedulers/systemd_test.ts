import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { systemd } from "../../../plugins/schedulers/systemd.ts";
import { AT_START, fakeHost, MONTHLY } from "./_host.ts";

const TASKS = [MONTHLY, AT_START];
const FOLDER = "/home/me/.config/systemd/user";
const FILES = ["labferry-backup.service", "labferry-backup.timer", "labferry-monitor.service"];

Deno.test("systemd.register() writes the units, and starts timers but no service", async () => {
  const { host, calls, files } = fakeHost();
  const changes = await systemd.open(host).register(TASKS);
  assert.deepEqual(changes.map(({ change }) => change), ["registered", "registered"]);
  assert.deepEqual([...files.keys()].sort(), FILES.map((name) => `${FOLDER}/${name}`));
  assert.deepEqual(calls, [
    ["systemctl", "--user", "daemon-reload"],
    ["systemctl", "--user", "enable", "--now", "labferry-backup.timer"],
    ["systemctl", "--user", "enable", "labferry-monitor.service"],
    ["systemctl", "--user", "try-restart", "labferry-monitor.service"],
  ]);
});

Deno.test("systemd.register() writes to the folder of XDG_CONFIG_HOME, if that is absolute", async () => {
  const first = fakeHost({ env: { HOME: "/home/me", XDG_CONFIG_HOME: "/cfg/" } });
  await systemd.open(first.host).register([AT_START]);
  assert.ok(first.files.has("/cfg/systemd/user/labferry-monitor.service"));
  const second = fakeHost({ env: { HOME: "/home/me", XDG_CONFIG_HOME: "cfg" } });
  await systemd.open(second.host).register([AT_START]);
  assert.ok(second.files.has(`${FOLDER}/labferry-monitor.service`));
  await assert.rejects(systemd.open(fakeHost({ env: {} }).host).register(TASKS), PipelineError);
});

Deno.test("systemd.unregister() removes what register() made, and finds nothing the second time", async () => {
  const { host, calls, files } = fakeHost();
  const opened = systemd.open(host);
  await opened.register(TASKS);
  calls.length = 0;
  assert.deepEqual((await opened.unregister(TASKS)).map(({ change }) => change), ["removed", "removed"]);
  assert.deepEqual([...files], []);
  assert.deepEqual(calls, [
    ["systemctl", "--user", "disable", "--now", "labferry-backup.timer", "labferry-monitor.service"],
    ["systemctl", "--user", "daemon-reload"],
  ]);
  calls.length = 0;
  assert.deepEqual((await opened.unregister(TASKS)).map(({ change }) => change), ["absent", "absent"]);
  assert.deepEqual(calls, []);
});

Deno.test("systemd.unregister() removes what an interrupted one left", async () => {
  const { host, calls, files } = fakeHost();
  files.set(`${FOLDER}/labferry-backup.service`, "");
  assert.deepEqual((await systemd.open(host).unregister(TASKS)).map(({ change }) => change), ["removed", "absent"]);
  assert.deepEqual([...files], []);
  assert.deepEqual(calls, [["systemctl", "--user", "daemon-reload"]]);
});

Deno.test("systemd.unregister() keeps the units that systemd would not let go", async () => {
  const { host, files } = fakeHost({
    answer: (argv) => argv.includes("disable") ? { code: 1, output: "Failed to connect to bus\n" } : undefined,
  });
  const opened = systemd.open(host);
  await opened.register(TASKS);
  await assert.rejects(
    opened.unregister(TASKS),
    (error) =>
      error instanceof PipelineError && /Failed to connect to bus$/.test(error.message) &&
      /log on/.test(error.hint ?? ""),
  );
  assert.equal(files.size, 3);
});
