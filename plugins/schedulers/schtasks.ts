/** Scheduler `schtasks`: Windows Task Scheduler, by its own schtasks.exe. @module */
import type { ProgramResult, ScheduledTask, SchedulerHost, SchedulerPlugin, TaskAccount } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { saidBy } from "./_words.ts";
import { taskXml, utf16 } from "./schtasks/task_xml.ts";

const PROGRAM = "schtasks.exe";

export const schtasks: SchedulerPlugin = {
  kind: "scheduler",
  name: "schtasks",
  summary: "Tasks of Windows Task Scheduler, run whether or not somebody is logged on.",
  system: "windows",
  account: ({ USERDOMAIN, USERNAME }) => USERDOMAIN && USERNAME ? `${USERDOMAIN}\\${USERNAME}` : undefined,
  advice: (tasks) => [
    ...tasks.filter((task) => task.start.on === "system-start").map((task) =>
      `${task.name} starts with the system; to start it now: schtasks /Run /TN ${task.name}`
    ),
    ...new Set(
      tasks.flatMap((task) => Object.entries(task.environment))
        .map(([name, value]) =>
          `set it for the account that runs the tasks, they cannot carry it: setx ${name} "${value}"`
        ),
    ),
    "the account needs the right to log on as a batch job, and a task sees no drive letters: name shares by " +
    "their UNC path",
    "when the password changes, run this command again",
  ],
  open: (host) => ({
    async register(tasks, account) {
      if (account === undefined) throw new TypeError("schtasks wants an account");
      // All of them are looked at before the first is registered.
      const files = tasks.map((task) => ({ task, xml: taskXml(task, { user: account.user, now: host.now }) }));
      for (const { task, xml } of files) {
        const result = await host.withFile(
          `${task.name}.xml`,
          utf16(xml),
          (path) => host.run(createArgv(task.name, path, account), { secrets: [account.password] }),
        );
        if (result.code !== 0) throw refused("register", task, result);
      }
      return tasks.map(({ name }) => ({ name, change: "registered" }));
    },
    async unregister(tasks) {
      const gone: ("removed" | "absent")[] = [];
      for (const task of tasks) gone.push(await remove(task, host));
      return tasks.map(({ name }, at) => ({ name, change: gone[at] }));
    },
  }),
};

/** Registers a task from its XML; one of that name gives way (`/F`). schtasks takes the password by its argument only. */
export function createArgv(
  name: string,
  xmlPath: string,
  { user, password }: TaskAccount,
): readonly [string, ...string[]] {
  return [PROGRAM, "/Create", "/TN", name, "/XML", xmlPath, "/RU", user, "/RP", password, "/F", "/HRESULT"];
}

/** Ends what a task has started, if it runs. */
export function endArgv(name: string): readonly [string, ...string[]] {
  return [PROGRAM, "/End", "/TN", name, "/HRESULT"];
}

/** Removes a task without asking. */
export function deleteArgv(name: string): readonly [string, ...string[]] {
  return [PROGRAM, "/Delete", "/TN", name, "/F", "/HRESULT"];
}

/** Lists all tasks, one `"\Name","next start","state"` a line. */
export function queryArgv(): readonly [string, ...string[]] {
  return [PROGRAM, "/Query", "/FO", "CSV", "/NH"];
}

/** Exit codes under `/HRESULT`; the words of schtasks are in the language of the system. */
const FILE_NOT_FOUND = 0x80070002;
const PATH_NOT_FOUND = 0x80070003;
const HINTS: ReadonlyMap<number, string> = new Map([
  [0x80070005, 'Run this from a prompt that was opened with "Run as administrator"'],
  [0x8007052e, "User name or password is wrong"],
  [0x80070569, "Give the account the right to log on as a batch job (secpol.msc, User Rights Assignment)"],
  [0x80070534, "There is no such account; write it as DOMAIN\\user or COMPUTER\\user"],
]);

async function remove(task: ScheduledTask, host: SchedulerHost): Promise<"removed" | "absent"> {
  // What runs until it is stopped would run on without its task.
  if (task.start.on === "system-start") await host.run(endArgv(task.name));
  const result = await host.run(deleteArgv(task.name));
  const code = result.code >>> 0;
  if (code === 0) return "removed";
  if (code === FILE_NOT_FOUND || code === PATH_NOT_FOUND) return "absent";
  // Whatever else it says, only a listing without the task shows that it is not there.
  const listed = await host.run(queryArgv());
  const isListed = listed.output.split(/\r?\n/).some((line) =>
    line.toLowerCase().startsWith(`"\\${task.name.toLowerCase()}"`)
  );
  if (listed.code === 0 && !isListed) return "absent";
  throw refused("remove", task, result);
}

function refused(verb: "register" | "remove", task: ScheduledTask, { code, output }: ProgramResult): PipelineError {
  const unsigned = code >>> 0;
  const number = unsigned > 0xffff ? `0x${unsigned.toString(16)}` : `${code}`;
  return new PipelineError(
    "schedule/refused",
    `Cannot ${verb} the task "${task.name}": ${PROGRAM} ends with ${number}${saidBy({ output })}`,
    {
      hint: HINTS.get(unsigned) ?? "Task Scheduler asks for an administrator's prompt, the account's right password, " +
          "and its right to log on as a batch job",
    },
  );
}
