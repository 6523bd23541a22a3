/** What a scheduler is: it has the system start labferry. Re-exported by contract.ts. @module */

/** When a task starts: local time on one day of every month (1 to 28, so that every month has it), or with the system. */
export type TaskStart =
  | { on: "monthly"; day: number; hour: number; minute: number }
  | { on: "system-start" };

/** A command that the system is to start. */
export interface ScheduledTask {
  /** Words joined without a separator, such as `LabferryBackup`. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** The program (an absolute path) and its arguments, without a shell. */
  argv: readonly [program: string, ...rest: string[]];
  /** An absolute path. */
  workingDirectory: string;
  /** Variables the task needs beside those its account has. */
  environment: Readonly<Record<string, string>>;
  /** When it starts. */
  start: TaskStart;
}

/** The account a task runs as. */
export interface TaskAccount {
  /** Name of the account. */
  user: string;
  /** Stored by the scheduler, never by labferry. */
  password: string;
}

/** How a program ended. `output` is what it wrote, stdout before stderr, with the secrets of the call taken out. */
export interface ProgramResult {
  /** Exit code. */
  code: number;
  /** What it wrote. */
  output: string;
}

/** What a scheduler is given: the machine, as far as it is needed. */
export interface SchedulerHost {
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Local wall clock. */
  readonly now: Date;
  /**
   * Runs a program to its end; any exit code is a result. The arguments go to no log.
   * @throws {PipelineError} `schedule/no-program` when it is not there
   */
  run(argv: readonly [string, ...string[]], options?: { secrets?: readonly string[] }): Promise<ProgramResult>;
  /** Whether something has this path. */
  exists(path: string): Promise<boolean>;
  /** Writes a file, replacing one that stands. */
  write(path: string, text: string): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Gives `work` the path of a file with these bytes, which is gone afterwards. */
  withFile<T>(name: string, bytes: Uint8Array, work: (path: string) => Promise<T>): Promise<T>;
}

/** What became of a task. */
export interface TaskChange {
  /** Name of the task. */
  name: string;
  /** What became of it. */
  change: "registered" | "removed" | "absent";
}

/** A scheduler at work on one machine. Both are safe to repeat. */
export interface SchedulerRun {
  /** Registers tasks; one that is there already gives way. `account` is set if the plugin wants one. */
  register(tasks: readonly ScheduledTask[], account?: TaskAccount): Promise<TaskChange[]>;
  /** Removes tasks; one that is not there is no error. */
  unregister(tasks: readonly ScheduledTask[]): Promise<TaskChange[]>;
}

/** An adapter to what starts programs on a kind of system. */
export interface SchedulerPlugin {
  /** It is a scheduler. */
  kind: "scheduler";
  /** Its name. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** The system, as `Deno.build.os` names it, whose tasks it keeps. */
  system: "windows" | "linux";
  /** Set if a task runs as an account whose password is stored: the account meant when none is named. */
  account?(env: SchedulerHost["env"]): string | undefined;
  /** What people should know or do after tasks were registered, one sentence each. */
  advice(tasks: readonly ScheduledTask[]): string[];
  /** Begins work on this machine. */
  open(host: SchedulerHost): SchedulerRun;
}
