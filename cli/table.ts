/** Every command there is, in the order of the help. @module */
import type { CommandSpec, FlagSpec } from "./command.ts";
import { LOOKING } from "./table/looking.ts";
import { RUNNING } from "./table/running.ts";
import { SETTING_UP } from "./table/setting_up.ts";
import { WRITING } from "./table/writing.ts";

export const COMMANDS: readonly CommandSpec[] = [...RUNNING, ...LOOKING, ...SETTING_UP, ...WRITING];

/** Returns the command of a name. */
export function findCommand(commands: readonly CommandSpec[], name: string): CommandSpec | undefined {
  return commands.find((command) => command.name === name);
}

/** Flags of a command and of all its sub-commands, each once. */
export function commandFlags(spec: CommandSpec): FlagSpec[] {
  const all = [...spec.flags ?? [], ...(spec.subcommands ?? []).flatMap((sub) => sub.flags ?? [])];
  return all.filter((flag, at) => all.findIndex((other) => other.name === flag.name) === at);
}
