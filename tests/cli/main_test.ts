import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import type { Command, CommandContext, CommandSpec } from "../../cli/command.ts";
import { VERSION } from "../../cli/version.ts";
import { PipelineError } from "../../core/errors.ts";
import { Disk } from "../../core/io/disk.ts";
import { tempDir } from "../kit/temp.ts";
import { runCli } from "./_terminal.ts";

function table(run: Command, log: CommandSpec["log"] = "stderr"): CommandSpec[] {
  const flags = [{ name: "dry-run", summary: "" }];
  return [{ name: "work", summary: "Work", flags, log, load: () => Promise.resolve({ run }) }];
}

Deno.test("main() prints the version to stdout", async () => {
  assert.deepEqual(await runCli(["--version"]), { code: 0, stdout: `labferry ${VERSION}\n`, stderr: "" });
});

Deno.test("main() prints help to stdout and exits 0", async () => {
  const { code, stdout, stderr } = await runCli(["validate", "--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /Usage: labferry validate <command>/);
  assert.equal(stderr, "");
});

Deno.test("main() exits 2 with the nearest name and the usage for what it does not know", async () => {
  const { code, stdout, stderr } = await runCli(["validate", "study", "--formt", "json", "x"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /did you mean --format/);
  assert.match(stderr, /Usage: labferry validate study PATH \[flags\]/);
});

Deno.test("main() shows all commands when none is given, and exits 2", async () => {
  const { code, stdout, stderr } = await runCli([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /Commands:/);
});

Deno.test("main() passes the command's exit code on", async () => {
  for (const code of [0, 1, 130]) {
    assert.equal((await runCli(["work"], { commands: table(() => Promise.resolve(code)) })).code, code);
  }
});

Deno.test("main() turns an error into words and an exit code", async () => {
  const fail = (error: unknown) => runCli(["work"], { commands: table(() => Promise.reject(error)) });
  const known = await fail(new PipelineError("place/not-marked", "Cannot use it", { stopsRun: 2, hint: "mark it" }));
  assert.deepEqual(known, { code: 2, stdout: "", stderr: "error: Cannot use it [place/not-marked]\nhint: mark it\n" });
  const fault = await fail(new TypeError("oops"));
  assert.equal(fault.code, 3);
  assert.match(fault.stderr, /TypeError: oops/);
});

Deno.test("main() keeps stderr to JSON lines with --log-format json, errors included", async () => {
  const commands = table((_args, { log }) => {
    log.info("on the way");
    return Promise.reject(new PipelineError("a/b", "Cannot do", { hint: "so" }));
  });
  const { stderr, code } = await runCli(["--log-format", "json", "work"], { commands });
  assert.equal(code, 1);
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.message), ["on the way", "Cannot do"]);
  assert.equal(lines[1].data.code, "a/b");
});

Deno.test("main() takes secrets out of errors", async () => {
  const commands = table(() => Promise.reject(new PipelineError("a/b", "Cannot log in with hunter2-hunter2")));
  const { stderr } = await runCli(["work"], { commands, env: { HOME: "/nowhere", SMTP_PASSWORD: "hunter2-hunter2" } });
  assert.doesNotMatch(stderr, /hunter2/);
});

Deno.test("main() leaves a trace in the log file, also of a command that fails before anything", async () => {
  await using dir = await tempDir();
  const env = { HOME: dir.path };
  const commands = table(() => Promise.reject(new PipelineError("config/x", "Cannot read the config")), "file");
  const { code } = await runCli(["work"], { commands, env });
  assert.equal(code, 2);
  const file = join(dir.path, ".config", "labferry", "state", "logs", "labferry-2025-06-15.log");
  const text = await Deno.readTextFile(file);
  assert.match(text, /labferry \S+ work begins host="testhost"/);
  assert.match(text, /error Cannot read the config .*config\/x/);
  assert.match(text, /ends with exit code 2/);
});

Deno.test("S17 main() opens no log file for a dry run", async () => {
  await using dir = await tempDir();
  const env = { HOME: dir.path };
  const { code } = await runCli(["work", "--dry-run"], { commands: table(() => Promise.resolve(0), "file"), env });
  assert.equal(code, 0);
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("main() exits 2 without a home folder", async () => {
  const { code, stderr } = await runCli(["work"], { commands: table(() => Promise.resolve(0)), env: {} });
  assert.equal(code, 2);
  assert.match(stderr, /cli\/no-home/);
});

Deno.test("main() leaves a trace of a misspelled command line where the command keeps a log file, and in JSON if asked", async () => {
  await using dir = await tempDir();
  const options = { env: { HOME: dir.path }, commands: table(() => Promise.resolve(0), "file") };
  const { code, stderr } = await runCli(["work", "--frob"], options);
  assert.equal(code, 2);
  assert.match(stderr, /Cannot use "--frob".*\n(.*\n)*See "labferry work --help"/);
  const logs = join(dir.path, ".config", "labferry", "state", "logs");
  assert.match(
    await Deno.readTextFile(join(logs, "labferry-2025-06-15.log")),
    /error Cannot use "--frob".*unknown-flag/,
  );
  const json = await runCli(["work", "--frob", "--log-format", "json"], options);
  assert.deepEqual(json.stderr.trimEnd().split("\n").map((line) => JSON.parse(line).data.code), ["cli/unknown-flag"]);
});

Deno.test("CommandContext.inner() runs a command line as a process of its own, and hands on what it is given", async () => {
  const disk = () => new Disk();
  let seen: CommandContext | undefined;
  const inside = table((_args, context) => {
    seen = context;
    context.terminal.out("within \x1b[2J\n");
    context.log.info("and logged");
    return Promise.reject(new PipelineError("a/b", "Cannot do"));
  })[0];
  let text = "";
  const outside: CommandSpec = {
    ...inside,
    name: "outside",
    load: () =>
      Promise.resolve({
        async run(_args, { terminal, log, inner }) {
          const env = { LABFERRY_CONFIG: "/lab/config.toml", LABFERRY_STATE_DIR: "/lab/state" };
          const out = (words: string) => void (text += words);
          const code = await inner(["work"], { openDisk: disk, terminal: { env, out } });
          log.info("back again");
          terminal.out(`ended with ${code}\n`);
          return 0;
        },
      }),
  };
  const { code, stdout, stderr } = await runCli(["outside"], { commands: [inside, outside] });
  assert.deepEqual([code, stdout, text], [0, "ended with 1\n", "within \\u001b[2J\n"]);
  assert.match(stderr, /and logged\nerror: Cannot do \[a\/b\]\n.*back again\n$/);
  assert.equal(seen?.openDisk, disk);
  assert.equal(seen?.locations.configFile, resolve("/lab/config.toml"));
  // A second failure of the same process is not the first one's repetition.
  assert.deepEqual(seen?.terminal.failureEvent, {});
  assert.equal(seen?.terminal.host, "testhost");
});
