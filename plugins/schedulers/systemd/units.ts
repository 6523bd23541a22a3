/** The unit files of a task. Pure. @module */
import type { ScheduledTask } from "../../../core/contract.ts";
import { barePath, execStart, quoteValue } from "./quote.ts";

export interface Unit {
  /** File name, such as `labferry-backup.timer`. */
  name: string;
  text: string;
}

/** `LabferryBackup` becomes `labferry-backup`. */
export function unitName(task: Pick<ScheduledTask, "name">): string {
  return task.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
}

/** File names of a task's units, and the one that is enabled. */
export function unitNames(task: Pick<ScheduledTask, "name" | "start">): { files: string[]; enabled: string } {
  const [service, timer] = [`${unitName(task)}.service`, `${unitName(task)}.timer`];
  return task.start.on === "monthly"
    ? { files: [service, timer], enabled: timer }
    : { files: [service], enabled: service };
}

/** Returns the units of a task. @throws {PipelineError} `schedule/bad-path` */
export function taskUnits(task: ScheduledTask): Unit[] {
  return unitNames(task).files.map((name) => ({
    name,
    text: name.endsWith(".timer") ? timerText(task) : serviceText(task),
  }));
}

function serviceText(task: ScheduledTask): string {
  const lines = [
    "[Unit]",
    `Description=${task.summary.replaceAll("%", "%%")}`,
    "",
    "[Service]",
    ...Object.entries(task.environment).map(([key, value]) => `Environment=${quoteValue(`${key}=${value}`)}`),
    `WorkingDirectory=${barePath(task.workingDirectory)}`,
    `ExecStart=${execStart(task.argv)}`,
    // labferry alone is told to stop; it ends what it started, and finishes its step.
    "KillMode=mixed",
    "TimeoutStopSec=5min",
  ];
  // A oneshot service has no time limit.
  if (task.start.on === "monthly") return `${[...lines, "Type=oneshot"].join("\n")}\n`;
  const restart = [
    "Restart=on-failure",
    "RestartSec=1min",
    "# A wrong configuration stays wrong until somebody changes it.",
    "RestartPreventExitStatus=2",
    "",
    "[Install]",
    "WantedBy=default.target",
  ];
  return `${[...lines, ...restart].join("\n")}\n`;
}

function timerText({ summary, start }: ScheduledTask): string {
  if (start.on !== "monthly") throw new TypeError("a timer wants a time");
  const two = (number: number) => String(number).padStart(2, "0");
  return `[Unit]
Description=${summary.replaceAll("%", "%%")}

[Timer]
OnCalendar=*-*-${two(start.day)} ${two(start.hour)}:${two(start.minute)}:00
# A start that was missed while the machine was off is made up for.
Persistent=true

[Install]
WantedBy=timers.target
`;
}
