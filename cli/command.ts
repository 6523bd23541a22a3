/** What a command is: its entry in the table, and the function behind it. @module */
import type { FileSystem } from "../core/io/file_system.ts";
import type { Logger } from "../core/ports.ts";
import type { RunReport } from "../core/run/report.ts";
import type { Locations } from "./locations.ts";
import type { LogControl } from "./log.ts";
import type { Notices } from "./notices.ts";
import type { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

export interface FlagSpec {
  /** Without the dashes. */
  name: string;
  /** One letter. */
  short?: string;
  /** Placeholder of the value; a flag without one is a switch. */
  value?: string;
  /** The value may be left out (`--force`, `--force=STAGE`); it is then `""` and must be joined by `=`. */
  bare?: true;
  choices?: readonly string[];
  /** Its value is a secret: words left over may be part of it, and are not repeated. */
  secret?: true;
  summary: string;
}

export interface PositionalSpec {
  /** As usage shows it, for example `PATH`. */
  name: string;
  optional?: true;
  /** Takes all that follow. */
  many?: true;
  summary: string;
}

/** What can be called: a command, or a sub-command. */
export interface CommandSpec {
  name: string;
  summary: string;
  /** Longer words for `--help`. */
  about?: string;
  positionals?: readonly PositionalSpec[];
  flags?: readonly FlagSpec[];
  /** Exit codes other than 2 and 3, which every command has. */
  exits?: readonly (readonly [code: number, meaning: string])[];
  example?: string;
  /**
   * Where the log goes besides stderr. `file`: to the log file in the state folder as well, unless it is a dry run
   * (SAFETY S17); for commands that change something.
   */
  log: "file" | "stderr";
  /** Set where people are told of nothing at the end: a dry run, or a command that has told them itself. */
  silent?: true;
  subcommands?: readonly CommandSpec[];
  /** Literal dynamic import of the command's module. */
  load?(): Promise<{ run: Command }>;
}

/** The parsed arguments of a command. */
export interface Arguments {
  /** The words that name the command: `["validate", "study"]`. */
  readonly command: readonly string[];
  /** Whether a switch was given. */
  has(flag: string): boolean;
  /** The value of a flag; undefined when it was not given. */
  value(flag: string): string | undefined;
  /** A positional argument. @throws {TypeError} when it was left out */
  at(name: string): string;
  /** An optional positional argument. */
  find(name: string): string | undefined;
  /** All words of a positional that takes many. */
  all(name: string): readonly string[];
}

/** Global flags. */
export interface Globals {
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly logFormat: "text" | "json";
  readonly config?: string;
  readonly stateDir?: string;
}

/** What whoever runs commands inside a process of its own hands in, and hears of them. */
export interface Hosting {
  /** In place of the disk of this machine, for as long as one run lasts. */
  openDisk?(): FileSystem & AsyncDisposable;
  /** Told of the report of a run before it is printed. */
  onReport?(report: RunReport): void;
}

/** What a command that runs another one in its own process sets for it. */
export interface InnerOptions extends Hosting {
  /** Parts of the terminal that differ from this command's. */
  terminal?: Partial<Pick<Terminal, "out" | "env" | "every" | "interrupts">>;
}

/** What a command is given. */
export interface CommandContext extends Hosting {
  readonly terminal: Terminal;
  readonly globals: Globals;
  readonly locations: Locations;
  readonly log: Logger;
  readonly logs: LogControl;
  /** stderr, shared by log lines and live progress. */
  readonly screen: Screen;
  /** What people are told of. It is flushed at the end of every command. */
  readonly notices: Notices;
  /** Runs another command line as a process of its own would, and resolves to its exit code. One at a time. */
  inner(argv: readonly string[], options?: InnerOptions): Promise<number>;
}

/** Runs a command; resolves to the exit code. Errors are thrown and become words and an exit code in one place. */
export type Command = (args: Arguments, context: CommandContext) => Promise<number>;
