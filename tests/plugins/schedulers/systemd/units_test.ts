import assert from "node:assert/strict";
import { join } from "@std/path";
import type { ScheduledTask } from "../../../../core/contract.ts";
import { taskUnits, unitName } from "../../../../plugins/schedulers/systemd/units.ts";
import { tempDir } from "../../../kit/temp.ts";
import { AT_START, MONTHLY } from "../_host.ts";

Deno.test("taskUnits() makes a service and a timer that makes up for a missed start", () => {
  const [service, timer] = taskUnits(MONTHLY);
  assert.equal(service.name, "labferry-backup.service");
  assert.match(service.text, /^Type=oneshot$/m);
  assert.match(service.text, /^WorkingDirectory=\/etc\/lab$/m);
  assert.equal(timer.name, "labferry-backup.timer");
  assert.match(timer.text, /^OnCalendar=\*-\*-01 02:00:00$/m);
  assert.match(timer.text, /^Persistent=true$/m);
});

Deno.test("taskUnits() has what starts with the system started again when it fails", () => {
  const [service, ...rest] = taskUnits(AT_START);
  assert.deepEqual(rest, []);
  assert.match(service.text, /^Restart=on-failure$/m);
  assert.match(service.text, /^RestartPreventExitStatus=2$/m);
  assert.match(service.text, /^WantedBy=default\.target$/m);
});

Deno.test("taskUnits() carries the environment", () => {
  const [service] = taskUnits({ ...MONTHLY, environment: { LABFERRY_STATE_DIR: "/var/lab 1" } });
  assert.match(service.text, /^Environment="LABFERRY_STATE_DIR=\/var\/lab 1"$/m);
});

Deno.test("unitName() is the task's name in systemd's spelling", () => {
  assert.equal(unitName({ name: "LabferryBackup" }), "labferry-backup");
});

async function analyze(folder: string, files: string[]): Promise<{ code: number; output: string } | undefined> {
  const command = new Deno.Command("systemd-analyze", {
    args: ["--user", "verify", ...files],
    env: { XDG_RUNTIME_DIR: folder, SYSTEMD_LOG_LEVEL: "debug" },
    stdin: "null",
  });
  try {
    const { code, stdout, stderr } = await command.output();
    return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The dump quotes as a shell would. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/g)].map((match) =>
    match[1] === undefined ? match[2] : match[1].replace(/\\(.)/g, "$1")
  );
}

const hasSystemd = await analyze("/", ["--help"]) !== undefined;

Deno.test({
  name: `taskUnits() is read by systemd itself as it was meant${hasSystemd ? "" : " [no systemd-analyze here]"}`,
  ignore: !hasSystemd,
  async fn() {
    await using dir = await tempDir();
    const odd = join(dir.path, `a b%h'c"d\\e$f\${HOME}ü界`);
    const plain = join(dir.path, "a b%h$f\${HOME}ü界");
    for (const folder of [odd, plain]) {
      await Deno.mkdir(folder);
      await Deno.writeTextFile(join(folder, "lab ferry"), "#!/bin/sh\n", { mode: 0o755 });
    }
    const args = ["--config", join(odd, "config.toml"), "%i 100%", "$HOME", "$$", "a\\nb", 'q"q', ";", "it's", "🔬"];
    const programs = [join(odd, "lab ferry"), join(plain, "lab ferry")];
    const tasks: ScheduledTask[] = [MONTHLY, AT_START].map((task, at) => ({
      ...task,
      argv: [programs[at], ...args],
      workingDirectory: odd,
      environment: { LABFERRY_STATE_DIR: odd },
    }));
    const files: string[] = [];
    for (const { name, text } of tasks.flatMap(taskUnits)) {
      files.push(join(dir.path, name));
      await Deno.writeTextFile(join(dir.path, name), text);
    }
    const result = await analyze(dir.path, files);
    assert.equal(result?.code, 0, result?.output);
    const output = result?.output ?? "";
    assert.doesNotMatch(output, /labferry-[a-z]+\.(service|timer):\d+:/, "no complaint");
    const lines = [...output.matchAll(/Command Line: (.*)$/gm)].map((match) =>
      shellWords(match[1]).map((word, at) => at === 0 ? word : word.replaceAll("$$", "$"))
    );
    const shell = ["/bin/sh", "-c", 'exec "$0" "$@"'];
    assert.deepEqual(lines.sort(), [[...shell, programs[0], ...args], [programs[1], ...args]].sort());
    assert.ok(output.includes(`WorkingDirectory: ${odd}\n`), "the folder");
    assert.ok(output.includes(`Environment: LABFERRY_STATE_DIR=${odd}\n`), "the environment");
  },
});
