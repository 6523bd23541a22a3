/** Errors of usage: what was found, the nearest name, and how the command is called. @module */
import { PipelineError } from "../core/errors.ts";
import type { CommandSpec, FlagSpec } from "./command.ts";

/** A command line that cannot be run. `command` is the part that was understood, for its usage. */
export class UsageError extends PipelineError {
  readonly command: readonly string[];

  constructor(code: string, message: string, options: { command: readonly string[]; hint?: string }) {
    super(code, message, { stopsRun: 2, hint: options.hint });
    this.command = options.command;
  }
}

export function usageError(code: string, message: string, command: readonly string[], hint?: string): UsageError {
  return new UsageError(code, message, { command, hint });
}

export async function unknownFlag(
  flag: string,
  command: readonly string[],
  flags: readonly FlagSpec[],
): Promise<UsageError> {
  const { nearestName } = await import("../core/pipeline/nearest.ts");
  const nearest = nearestName(flag.replace(/^-+/, ""), flags.map((known) => known.name));
  const where = command.length === 0 ? "before a command" : `of "${command.join(" ")}"`;
  return usageError(
    "cli/unknown-flag",
    `Cannot use "${flag}": it is not a flag ${where}`,
    command,
    nearest === undefined ? undefined : `did you mean --${nearest}`,
  );
}

export async function unknownCommand(
  word: string,
  command: readonly string[],
  commands: readonly CommandSpec[],
): Promise<UsageError> {
  const { nameHint } = await import("../core/pipeline/nearest.ts");
  const what = command.length === 0 ? "no such command" : `no such sub-command of "${command.join(" ")}"`;
  return usageError(
    "cli/unknown-command",
    `Cannot run "${[...command, word].join(" ")}": there is ${what}`,
    command,
    nameHint(word, commands.map((known) => known.name), "there are"),
  );
}
