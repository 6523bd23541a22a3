/** What is scheduled: the three tasks of labferry, and the command line in them. Pure. @module */
import { fromFileUrl } from "@std/path";
import type { ScheduledTask, TaskStart } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";

/** How this process was started. */
export interface Self {
  /** Whether it is a compiled executable. */
  standalone: boolean;
  /** The executable: labferry itself, or Deno. */
  execPath: string;
  /** URL of `cli.ts`. */
  cliUrl: string;
}

export interface TaskSettings {
  self: Self;
  /** Absolute path of the config file. */
  configFile: string;
  workingDirectory: string;
  /** Absolute path of the state folder, where it is not the usual one. */
  stateDir?: string;
}

const TASKS: readonly { name: string; summary: string; words: readonly string[]; start: TaskStart }[] = [
  {
    name: "LabferryBackup",
    summary: "labferry: copy idle studies, prove the copies, free the instrument",
    words: ["backup", "run"],
    start: { on: "monthly", day: 1, hour: 2, minute: 0 },
  },
  {
    name: "LabferryCleanup",
    summary: "labferry: free space on the NAS",
    words: ["cleanup", "run"],
    start: { on: "monthly", day: 20, hour: 2, minute: 0 },
  },
  {
    name: "LabferryMonitor",
    summary: "labferry: watch the log of the instrument",
    words: ["monitor", "tail"],
    start: { on: "system-start" },
  },
];

/** Returns the program and first arguments that start labferry as it was started now. @throws {PipelineError} */
export function ownCommand({ standalone, execPath, cliUrl }: Self): [string, ...string[]] {
  if (standalone) return [execPath];
  if (cliUrl.startsWith("file:")) return [execPath, "run", "-A", fromFileUrl(cliUrl)];
  throw new PipelineError(
    "schedule/not-installed",
    `Cannot schedule "${cliUrl}": it is not a file of this machine, and would be fetched anew at every start`,
    { stopsRun: 2, hint: "Schedule the executable, or labferry from a clone" },
  );
}

/** Returns the tasks, in the order of their names. */
export function labferryTasks(settings: TaskSettings): ScheduledTask[] {
  const { self, configFile, workingDirectory, stateDir } = settings;
  const state = stateDir === undefined ? [] : ["--state-dir", stateDir];
  const own = ownCommand(self);
  return TASKS.map(({ name, summary, words, start }) => ({
    name,
    summary,
    start,
    argv: [...own, "--config", configFile, ...state, ...words],
    workingDirectory,
    environment: {},
  }));
}

/** When a task starts, in words. */
export function startInWords(start: TaskStart): string {
  if (start.on === "system-start") return "with the system";
  const two = (number: number) => String(number).padStart(2, "0");
  return `on day ${start.day} of every month at ${two(start.hour)}:${two(start.minute)}`;
}
