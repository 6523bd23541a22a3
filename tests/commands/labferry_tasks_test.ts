import assert from "node:assert/strict";
import { labferryTasks, ownCommand, startInWords } from "../../commands/_labferry_tasks.ts";
import { COMMANDS, findCommand } from "../../cli/table.ts";
import { builtinRegistry } from "../../cli/project.ts";
import { PipelineError } from "../../core/errors.ts";

const SELF = { standalone: true, execPath: "/opt/lab ferry", cliUrl: "file:///x/cli.ts" };

Deno.test("ownCommand() is the executable itself, or Deno with the program's file", () => {
  assert.deepEqual(ownCommand(SELF), ["/opt/lab ferry"]);
  const [deno, run, all, file] = ownCommand({
    standalone: false,
    execPath: "/bin/deno",
    cliUrl: "file:///a%20b/cli.ts",
  });
  assert.deepEqual([deno, run, all], ["/bin/deno", "run", "-A"]);
  assert.match(file, /a b[\\/]cli\.ts$/);
  assert.throws(
    () => ownCommand({ ...SELF, standalone: false, cliUrl: "https://labferry.example/cli.ts" }),
    (error) => error instanceof PipelineError && error.stopsRun === 2,
  );
});

Deno.test("labferryTasks() are three, each with the config by its path", () => {
  const tasks = labferryTasks({ self: SELF, configFile: "/c/config.toml", workingDirectory: "/c" });
  assert.deepEqual(tasks.map(({ name, argv, start }) => [name, argv.slice(1).join(" "), startInWords(start)]), [
    ["LabferryBackup", "--config /c/config.toml backup run", "on day 1 of every month at 02:00"],
    ["LabferryCleanup", "--config /c/config.toml cleanup run", "on day 20 of every month at 02:00"],
    ["LabferryMonitor", "--config /c/config.toml monitor tail", "with the system"],
  ]);
});

Deno.test("install tasks offers every scheduler that is registered", () => {
  const install = findCommand(COMMANDS, "install");
  const flags = findCommand(install?.subcommands ?? [], "tasks")?.flags ?? [];
  assert.deepEqual(flags.find((flag) => flag.name === "scheduler")?.choices, builtinRegistry().names("scheduler"));
});

Deno.test("labferryTasks() carries a state folder that is not the usual one, on every system", () => {
  const tasks = labferryTasks({
    self: SELF,
    configFile: "/c/config.toml",
    workingDirectory: "/c",
    stateDir: "/d/state",
  });
  for (const { argv } of tasks) {
    assert.match(argv.join(" "), / --config \/c\/config\.toml --state-dir \/d\/state \w+ \w+$/);
  }
});
