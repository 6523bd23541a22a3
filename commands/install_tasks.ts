/** `install tasks`: has the system start backup, cleanup and monitor. @module */
import type { Arguments, Command, CommandContext } from "../cli/command.ts";
import { columns } from "../cli/format.ts";
import { builtinRegistry, loadProject } from "../cli/project.ts";
import { schedulerHost } from "../cli/scheduler_host.ts";
import { isSecretName } from "../cli/scrub.ts";
import { usageError } from "../cli/usage.ts";
import type { SchedulerPlugin, TaskAccount } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { labferryTasks, startInWords } from "./_labferry_tasks.ts";

export const run: Command = async (args, context) => {
  const { terminal, locations, log, globals } = context;
  const scheduler = schedulerOf(args);
  const { LABFERRY_STATE_DIR } = terminal.env;
  const tasks = labferryTasks({
    self: {
      standalone: Deno.build.standalone,
      execPath: Deno.execPath(),
      cliUrl: new URL("../cli.ts", import.meta.url).href,
    },
    configFile: locations.configFile,
    workingDirectory: locations.configDir,
    stateDir: LABFERRY_STATE_DIR || globals.stateDir ? locations.stateDir : undefined,
  });
  const opened = scheduler.open(schedulerHost(terminal));
  if (args.has("uninstall")) {
    for (const { name, change } of await opened.unregister(tasks)) {
      log.info(`task "${name}" is ${change}`, { scheduler: scheduler.name });
      terminal.out(`${change === "removed" ? "removed" : "was not there"}  ${name}\n`);
    }
    return 0;
  }
  // A task whose config is wrong would fail at night; that is better said now.
  await loadProject(context);
  const account = await accountOf(scheduler, args, context);
  const changes = await opened.register(tasks, account);
  const rows = changes.map(({ name, change }, at) => [change, name, startInWords(tasks[at].start)]);
  for (const [change, name, start] of rows) {
    log.info(`task "${name}" is ${change} and starts ${start}`, { scheduler: scheduler.name, user: account?.user });
  }
  const advice = [...scheduler.advice(tasks), ...onlyHere(terminal.env, locations.smtpEnvFile)].map((line) =>
    `  - ${line}\n`
  ).join("");
  terminal.out(`${columns(rows).map((line) => `${line}\n`).join("")}\nTo know:\n${advice}`);
  return 0;
};

/** Credentials that stand in this environment: a task starts without it. */
function onlyHere(env: CommandContext["terminal"]["env"], smtpEnvFile: string): string[] {
  const names = Object.keys(env).filter((name) => env[name] && (isSecretName(name) || name.endsWith("_SMTP_USER")))
    .sort();
  const [own, aws] = [/^(LABFERRY|FUSION)_/, /^AWS_/].map((prefix) => names.filter((name) => prefix.test(name)));
  return [
    ...own.length === 0 ? [] : [`tasks do not see this environment: write ${own.join(", ")} into ${smtpEnvFile}`],
    ...aws.length === 0 ? [] : [`tasks do not see this environment: ${aws.join(", ")} belong into ~/.aws/credentials`],
  ];
}

function schedulerOf(args: Arguments): SchedulerPlugin {
  const registry = builtinRegistry();
  const named = args.value("scheduler");
  if (named !== undefined) return registry.get("scheduler", named);
  const found = registry.list("scheduler").find((scheduler) => scheduler.system === Deno.build.os);
  if (found !== undefined) return found;
  throw new PipelineError("cli/no-scheduler", `Cannot schedule on "${Deno.build.os}": no scheduler is known for it`, {
    stopsRun: 2,
    hint: "Have cron or another scheduler start: labferry backup run",
  });
}

/** The account, and its password: asked for without an echo unless it was given. */
async function accountOf(
  scheduler: SchedulerPlugin,
  args: Arguments,
  { terminal, logs }: CommandContext,
): Promise<TaskAccount | undefined> {
  const { command } = args;
  if (scheduler.account === undefined) {
    const given = ["user", "password"].find((flag) => args.value(flag) !== undefined);
    if (given === undefined) return undefined;
    const what = `Cannot use --${given} with "${scheduler.name}": its tasks run as the user who registers them`;
    throw usageError("cli/no-account", what, command);
  }
  const user = args.value("user") ?? scheduler.account(terminal.env);
  if (user === undefined) {
    const what = "Cannot register tasks: USERDOMAIN and USERNAME are not set, wanted an account";
    throw usageError("cli/no-account", what, command, "Name it with --user");
  }
  const password = args.value("password") ?? await terminal.askSecret(`Password of ${user}: `);
  if (!password) {
    const what = `Cannot register tasks as "${user}": no password was given, wanted that of the account`;
    throw usageError("cli/no-password", what, command, "Type it where it is asked for, or pass --password");
  }
  logs.scrubber.add(password);
  return { user, password };
}
