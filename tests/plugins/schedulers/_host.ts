/** A machine for schedulers that is made of notes: what was run, and which files stand. */
import type { ProgramResult, ScheduledTask, SchedulerHost } from "../../../core/contract.ts";

export interface FakeHost {
  host: SchedulerHost;
  /** Programs with their arguments, in the order they were run. */
  readonly calls: string[][];
  readonly files: Map<string, string>;
  /** What temporary files held, by name. */
  readonly temporary: Map<string, Uint8Array>;
}

export interface FakeHostOptions {
  env?: Record<string, string>;
  now?: Date;
  /** What a program answers; success without a word unless said otherwise. */
  answer?(argv: readonly string[]): Partial<ProgramResult> | undefined;
}

export function fakeHost({ env = { HOME: "/home/me" }, now, answer }: FakeHostOptions = {}): FakeHost {
  const calls: string[][] = [];
  const files = new Map<string, string>();
  const temporary = new Map<string, Uint8Array>();
  return {
    calls,
    files,
    temporary,
    host: {
      env,
      now: now ?? new Date(2026, 0, 15, 12),
      run(argv) {
        calls.push([...argv]);
        return Promise.resolve({ code: 0, output: "", ...answer?.(argv) });
      },
      exists: (path) => Promise.resolve(files.has(path)),
      write: (path, text) => Promise.resolve(void files.set(path, text)),
      remove: (path) => Promise.resolve(void files.delete(path)),
      withFile(name, bytes, work) {
        temporary.set(name, bytes);
        return work(`/tmp/${name}`);
      },
    },
  };
}

export const MONTHLY: ScheduledTask = {
  name: "LabferryBackup",
  summary: "labferry: back up",
  argv: ["/opt/labferry", "--config", "/etc/lab/config.toml", "backup", "run"],
  workingDirectory: "/etc/lab",
  environment: {},
  start: { on: "monthly", day: 1, hour: 2, minute: 0 },
};
export const AT_START: ScheduledTask = {
  ...MONTHLY,
  name: "LabferryMonitor",
  summary: "labferry: watch",
  argv: ["/opt/labferry", "monitor", "tail"],
  start: { on: "system-start" },
};
