import assert from "node:assert/strict";
import { join } from "@std/path";
import { runCli } from "../cli/_terminal.ts";
import type { FakeOptions } from "../cli/_terminal.ts";
import { tempDir } from "../kit/temp.ts";

const PASSWORD = "correct horse; battery";
/** Programs are scripts of a POSIX shell here. */
const REASON = Deno.build.os === "windows" ? " [needs a POSIX shell]" : "";

/** Notes its arguments, one a line and a blank line behind them; keeps a copy of the XML, then does what it is told. */
const script = (log: string, rest: string) =>
  `#!/bin/sh\nfor word in "$@"; do printf '%s\\n' "$word"; done >>'${log}'\necho >>'${log}'\n` +
  `verb=$1\nwhile [ $# -gt 0 ]; do if [ "$1" = /XML ]; then cp "$2" '${log}'.xml; fi; shift; done\n${rest}\n`;

async function machine(program: "schtasks.exe" | "systemctl", rest = "exit 0") {
  const dir = await tempDir();
  const config = join(dir.path, "lab one", "config.toml");
  const [bin, calls] = [join(dir.path, "bin"), join(dir.path, "calls")];
  await Deno.mkdir(join(dir.path, "lab one"));
  await Deno.mkdir(bin);
  await Deno.writeTextFile(config, "[paths]\n");
  await Deno.writeTextFile(join(bin, program), script(calls, rest), { mode: 0o755 });
  await Deno.writeTextFile(calls, "");
  const env = {
    HOME: dir.path,
    PATH: `${bin}:${Deno.env.get("PATH")}`,
    LABFERRY_CONFIG: config,
    LABFERRY_STATE_DIR: join(dir.path, "state"),
    USERDOMAIN: "LAB",
    USERNAME: "ada",
  };
  const scheduler = program === "systemctl" ? "systemd" : "schtasks";
  return {
    path: dir.path,
    config,
    units: join(dir.path, ".config", "systemd", "user"),
    cli: (argv: readonly string[], options: FakeOptions = {}) =>
      runCli(["install", "tasks", "--scheduler", scheduler, ...argv], { env, cwd: dir.path, ...options }),
    env,
    /** What the program was called with, since the last look. */
    async calls(): Promise<string[][]> {
      const text = await Deno.readTextFile(calls);
      await Deno.writeTextFile(calls, "");
      return text.split("\n\n").slice(0, -1).map((call) => call.split("\n"));
    },
    xml: async () => new TextDecoder("utf-16le").decode(await Deno.readFile(`${calls}.xml`)),
    async log(): Promise<string> {
      const folder = join(dir.path, "state", "logs");
      const texts = [...Deno.readDirSync(folder)].map((entry) => Deno.readTextFileSync(join(folder, entry.name)));
      return await Promise.resolve(texts.join(""));
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `install tasks ${name}${REASON}`, ignore: REASON !== "", fn });

test("asks for the password, and registers three tasks of Windows that start labferry as it is started now", async () => {
  await using here = await machine("schtasks.exe");
  const { code, stdout, stderr } = await here.cli([], { answer: PASSWORD });
  assert.equal(code, 0, stderr);
  const calls = await here.calls();
  assert.deepEqual(calls.map((call) => call.slice(0, 4)), [
    ["/Create", "/TN", "LabferryBackup", "/XML"],
    ["/Create", "/TN", "LabferryCleanup", "/XML"],
    ["/Create", "/TN", "LabferryMonitor", "/XML"],
  ]);
  for (const call of calls) assert.deepEqual(call.slice(5), ["/RU", "LAB\\ada", "/RP", PASSWORD, "/F", "/HRESULT"]);
  const xml = await here.xml();
  assert.ok(xml.includes(`<Command>${Deno.execPath()}</Command>`));
  assert.match(
    xml,
    /<Arguments>run -A \S*cli\.ts --config &quot;\S* one\/config\.toml&quot; --state-dir \S*\/state monitor tail<\/Arguments>/,
  );
  assert.ok(xml.includes(`<WorkingDirectory>${join(here.path, "lab one")}</WorkingDirectory>`));
  assert.match(stdout, /registered {2}LabferryBackup {3}on day 1 of every month at 02:00/);
  assert.doesNotMatch(stdout, /setx/);
  assert.ok(!(stdout + stderr + await here.log()).includes(PASSWORD));
});

test("takes account and password from its flags, and registers again without a question", async () => {
  await using here = await machine("schtasks.exe");
  for (let round = 0; round < 2; round++) {
    const { code } = await here.cli(["--user", "NT\\svc", "--password", PASSWORD]);
    assert.equal(code, 0);
    const calls = await here.calls();
    assert.equal(calls.length, 3);
    for (const call of calls) assert.deepEqual(call.slice(5), ["/RU", "NT\\svc", "/RP", PASSWORD, "/F", "/HRESULT"]);
  }
});

test("keeps the password out of every word when schtasks fails, even if that repeats it", async () => {
  await using here = await machine("schtasks.exe", `echo "ERROR: bad /RP ${PASSWORD}" >&2; exit 1`);
  const { code, stdout, stderr } = await here.cli(["-v", "--password", PASSWORD]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot register the task "LabferryBackup".*ERROR: bad \/RP \*\*\*/);
  assert.ok(!(stdout + stderr + await here.log()).includes(PASSWORD));
  const misused = await here.cli(["--password", PASSWORD, "--pasword", PASSWORD, "--uninstal"]);
  assert.equal(misused.code, 2);
  assert.ok(!(misused.stdout + misused.stderr + await here.log()).includes(PASSWORD));
});

test("registers nothing without a password or an account", async () => {
  await using here = await machine("schtasks.exe");
  const silent = await here.cli([]);
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /no password was given/);
  const { USERNAME: _, ...env } = here.env;
  const nobody = await here.cli([], { env, answer: PASSWORD });
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /--user/);
  assert.deepEqual(await here.calls(), []);
});

test("registers nothing for a config that cannot be read", async () => {
  await using here = await machine("schtasks.exe");
  await Deno.writeTextFile(here.config, "[pahts]\n");
  assert.equal((await here.cli([], { answer: PASSWORD })).code, 2);
  await Deno.remove(here.config);
  assert.equal((await here.cli([], { answer: PASSWORD })).code, 2);
  assert.deepEqual(await here.calls(), []);
});

test("--uninstall removes tasks of Windows, needs no config, and takes missing ones for no error", async () => {
  await using here = await machine("schtasks.exe");
  await Deno.remove(here.config);
  const first = await here.cli(["--uninstall"]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, "removed  LabferryBackup\nremoved  LabferryCleanup\nremoved  LabferryMonitor\n");
  assert.deepEqual((await here.calls())[0], ["/Delete", "/TN", "LabferryBackup", "/F", "/HRESULT"]);
  await using empty = await machine("schtasks.exe", 'if [ "$verb" = /Delete ]; then exit 1; fi');
  const second = await empty.cli(["--uninstall"]);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.stdout.replaceAll("was not there  Labferry", ""), "Backup\nCleanup\nMonitor\n");
});

test("writes units of systemd that survive a second time, and --uninstall removes them for good", async () => {
  await using here = await machine("systemctl");
  for (let round = 0; round < 2; round++) {
    const { code, stdout, stderr } = await here.cli([]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /loginctl enable-linger/);
    assert.deepEqual(await here.calls(), [
      ["--user", "daemon-reload"],
      ["--user", "enable", "--now", "labferry-backup.timer", "labferry-cleanup.timer"],
      ["--user", "enable", "labferry-monitor.service"],
      ["--user", "try-restart", "labferry-monitor.service"],
    ]);
  }
  const names = [...Deno.readDirSync(here.units)].map((entry) => entry.name).sort();
  assert.deepEqual(names, [
    "labferry-backup.service",
    "labferry-backup.timer",
    "labferry-cleanup.service",
    "labferry-cleanup.timer",
    "labferry-monitor.service",
  ]);
  const service = await Deno.readTextFile(join(here.units, "labferry-cleanup.service"));
  assert.match(
    service,
    /^ExecStart="[^"]+" "run" "-A" "[^"]+cli\.ts" "--config" "[^"]+lab one[^"]+" "--state-dir" "[^"]+state" "cleanup" "run"$/m,
  );
  assert.ok(service.includes(`"${join(here.path, "state")}"`), service);
  assert.equal((await here.cli(["--uninstall"])).stdout.split("removed").length, 4);
  assert.deepEqual([...Deno.readDirSync(here.units)], []);
  await here.calls();
  const again = await here.cli(["--uninstall"]);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /^was not there {2}LabferryBackup\n/);
  assert.deepEqual(await here.calls(), []);
});

test("refuses an account where tasks run as who registers them", async () => {
  await using here = await machine("systemctl");
  const { code, stderr } = await here.cli(["--user", "ada"]);
  assert.equal(code, 2);
  assert.match(stderr, /--user with "systemd"/);
  assert.deepEqual(await here.calls(), []);
});

test("says what systemctl says when there is no user session", async () => {
  await using here = await machine("systemctl", "echo 'Failed to connect to bus: No medium found' >&2; exit 1");
  const { code, stderr } = await here.cli([]);
  assert.equal(code, 1);
  assert.match(stderr, /Failed to connect to bus: No medium found/);
  assert.match(stderr, /log on as that user/);
});

test("says which credentials stand only in this environment", async () => {
  await using here = await machine("systemctl");
  const env = {
    ...here.env,
    LABFERRY_SMTP_USER: "a@x",
    LABFERRY_SMTP_APP_PASSWORD: "hunter22",
    AWS_SECRET_ACCESS_KEY: "k3y",
  };
  const { stdout } = await here.cli([], { env });
  assert.match(stdout, /write LABFERRY_SMTP_APP_PASSWORD, LABFERRY_SMTP_USER into .*smtp\.env/);
  assert.match(stdout, /AWS_SECRET_ACCESS_KEY belong into ~\/\.aws\/credentials/);
  assert.doesNotMatch(stdout, /hunter22|k3y/);
  assert.doesNotMatch((await here.cli([])).stdout, /tasks do not see/);
});
