import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { isGroupAlive } from "../core/io/process_info.ts";
import { openJournal } from "../core/journal/sqlite.ts";
import { startSmtp } from "./kit/servers/smtp.ts";
import { tempDir } from "./kit/temp.ts";

const CLI = fromFileUrl(new URL("../cli.ts", import.meta.url));
const MISBEHAVE = fromFileUrl(new URL("./cli/_misbehave.ts", import.meta.url));

function command(script: string, args: string[], options: { state: string; stdin?: "piped" }): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
    env: {
      LABFERRY_STATE_DIR: options.state,
      LABFERRY_CONFIG: join(options.state, "config.toml"),
      // Where no config says anything, these decide whether an event is queued.
      LABFERRY_SMTP_USER: "ferry@lab.example",
      LABFERRY_SMTP_APP_PASSWORD: "hunter22",
      NO_COLOR: "1",
    },
    stdin: options.stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function spawn(script: string, args: string[], state: string) {
  const { code, stdout, stderr } = await command(script, args, { state }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function logOf(state: string): Promise<string> {
  const names = [...Deno.readDirSync(join(state, "logs"))].map((entry) => entry.name);
  return (await Promise.all(names.map((name) => Deno.readTextFile(join(state, "logs", name))))).join("");
}

for (
  const [how, words] of [
    ["drain", "nothing is left to wait for"],
    ["reject", "left alone"],
    ["throw", "thrown by nobody"],
    ["close", "only labferry itself ends the process"],
  ]
) {
  Deno.test(`start() ends with 3, words and a log line when a command goes wrong: ${how}`, async () => {
    await using dir = await tempDir();
    const { code, stdout, stderr } = await spawn(MISBEHAVE, [how], dir.path);
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(words));
    assert.match(await logOf(dir.path), new RegExp(`^\\S+Z error Cannot go on: .*${words}`));
  });
}

Deno.test("start() queues the event of a run that broke, but for a dry run", async () => {
  await using dir = await tempDir();
  assert.equal((await spawn(MISBEHAVE, ["run", "local", "--dry-run"], dir.path)).code, 3);
  assert.equal(await Deno.lstat(join(dir.path, "journal.db")).then(() => true, () => false), false);
  assert.equal((await spawn(MISBEHAVE, ["run", "local"], dir.path)).code, 3);
  await using journal = await openJournal(join(dir.path, "journal.db"));
  const events = await journal.outbox.pending();
  assert.deepEqual(events.map(({ event, data }) => [event, (data as { exit_code: number }).exit_code]), [[
    "local_failure",
    3,
  ]]);
});

Deno.test("start() ends a monitor that broke with 1, and tells people at once", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using dir = await tempDir();
  const config =
    `[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${server.port}\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(dir.path, "config.toml"), config);
  await Deno.mkdir(join(dir.path, "recipients"));
  await Deno.writeTextFile(join(dir.path, "recipients", "monitor_crash.txt"), "oncall@lab.example\n");
  const { code, stderr } = await spawn(MISBEHAVE, ["monitor", "tail"], dir.path);
  assert.equal(code, 1, stderr);
  const [mail] = server.mails;
  assert.match(mail.raw, /^Subject: \[Fusion Monitor\] CRASH$/m);
  assert.match(mail.raw, /left alone/);
  await using journal = await openJournal(join(dir.path, "journal.db"));
  assert.deepEqual(await journal.outbox.pending(), []);
});

Deno.test("start() stops the command at once when something went wrong outside of it", async () => {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await spawn(MISBEHAVE, ["backup"], dir.path);
  assert.deepEqual([code, stdout], [3, "stopped\ntrue true\n"]);
  assert.match(stderr, /left alone/);
});

Deno.test("start() queues one event for a run that failed by itself while the process broke", async () => {
  await using dir = await tempDir();
  assert.equal((await spawn(MISBEHAVE, ["backup", "--verbose"], dir.path)).code, 3);
  await using journal = await openJournal(join(dir.path, "journal.db"));
  const events = await journal.outbox.pending();
  assert.deepEqual(events.map(({ event, data }) => [event, (data as { message: string }).message]), [
    ["backup_failure", "failed by itself"],
  ]);
});

Deno.test({
  name: "start() ends no process that broke before its children",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using dir = await tempDir();
    const { code, stdout } = await spawn(MISBEHAVE, ["child"], dir.path);
    assert.equal(code, 3);
    assert.match(stdout, /^\d+\n$/);
    assert.equal(isGroupAlive(Number(stdout)), false);
  },
});

Deno.test("start() ends with 0 when the command does", async () => {
  await using dir = await tempDir();
  assert.deepEqual(await spawn(MISBEHAVE, ["well"], dir.path), { code: 0, stdout: "", stderr: "" });
});

Deno.test({
  name: "start() hands the first interrupt to the command and the second as well",
  // Windows has no way to send Ctrl+C to a child of one's own console alone.
  ignore: Deno.build.os === "windows",
  async fn() {
    await using dir = await tempDir();
    const child = command(MISBEHAVE, ["interrupt"], { state: dir.path, stdin: "piped" }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await lines.read()).value, "ready\n");
    child.kill("SIGINT");
    assert.equal((await lines.read()).value, "stopping\n");
    child.kill("SIGTERM");
    const { code } = await child.status;
    await lines.cancel();
    await child.stderr.cancel();
    await child.stdin.close().catch(() => {/* the reader has gone with the process */});
    assert.equal(code, 130);
  },
});

Deno.test("cli.ts keeps stdout to the result and tells by its exit code", async () => {
  await using dir = await tempDir();
  const study = join(dir.path, "20250131_ada_kidney_b1");
  await Deno.mkdir(study);
  const json = await spawn(CLI, ["validate", "study", study, "-f", "json", "-v"], dir.path);
  assert.equal(json.code, 1);
  const [verdict] = JSON.parse(json.stdout);
  assert.equal(verdict.path, study);
  assert.equal(verdict.ok, false);
  assert.match(json.stderr, /validate study begins/);
  const absent = await spawn(CLI, ["validate", "study", join(dir.path, "absent"), "-f", "json"], dir.path);
  assert.deepEqual([absent.code, absent.stdout], [2, ""]);
  const noConfig = await spawn(CLI, ["run", "backup", "--json"], dir.path);
  assert.deepEqual([noConfig.code, noConfig.stdout], [2, ""]);
  assert.match(noConfig.stderr, /config\/not-found/);
  assert.match(await logOf(dir.path), /run begins(.*\n)*.*config\/not-found(.*\n)*.*exit code 2/);
});

Deno.test("cli.ts loads nothing heavy for --version", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", CLI] }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { specifier: string; isDynamic?: boolean; code?: { specifier: string } }[];
    }[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const reached = new Set<string>();
  const visit = (specifier: string) => {
    if (reached.has(specifier)) return;
    reached.add(specifier);
    for (const { isDynamic, code } of byName.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code !== undefined) visit(code.specifier);
    }
  };
  visit(new URL("../cli.ts", import.meta.url).href);
  assert.ok(reached.size > 3);
  const heavy = [...reached].filter((specifier) =>
    /zod|logtape|aws-sdk|toml|\/stages\/|\/plugins\/|\/core\/(?!errors|settled_within|visible|io\/children|io\/process_info)/
      .test(specifier)
  );
  assert.deepEqual(heavy, []);
});
