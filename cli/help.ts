/** The text of `--help`, made from the table. Pure. @module */
import type { CommandSpec, FlagSpec, PositionalSpec } from "./command.ts";
import { GLOBAL_FLAGS } from "./parse.ts";
import { findCommand } from "./table.ts";

const ALWAYS: readonly (readonly [number, string])[] = [
  [2, "the configuration or the command line is wrong"],
  [3, "an unexpected error"],
];

/** Returns the help of the program (an empty path), of a command, or of a sub-command. */
export function helpText(commands: readonly CommandSpec[], path: readonly string[], width = 80): string {
  const spec = specAt(commands, path);
  const lines = spec === undefined ? programHelp(commands, width) : commandHelp(spec, path, width);
  return `${lines.join("\n")}\n`;
}

/** Returns how the command at `path` is called, one line for each sub-command, and where its help is. */
export function usageText(commands: readonly CommandSpec[], path: readonly string[]): string {
  const see = `See "${["labferry", ...path, "--help"].join(" ")}".\n`;
  const spec = specAt(commands, path);
  if (spec === undefined) return `Usage: labferry [global flags] <command> [arguments]\n${see}`;
  const lines = spec.subcommands?.map((sub) => usageLine(sub, [...path, sub.name])) ?? [usageLine(spec, path)];
  return `${lines.map((line) => `Usage: ${line}\n`).join("")}${see}`;
}

function specAt(commands: readonly CommandSpec[], path: readonly string[]): CommandSpec | undefined {
  let spec: CommandSpec | undefined;
  for (const word of path) spec = findCommand(spec === undefined ? commands : spec.subcommands ?? [], word);
  return spec;
}

/** Returns how a command is called, on one line. */
function usageLine(spec: CommandSpec, path: readonly string[]): string {
  const words = ["labferry", ...path];
  if (spec.subcommands !== undefined) words.push("<command>");
  for (const positional of spec.positionals ?? []) words.push(positionalUsage(positional));
  if ((spec.flags ?? []).length > 0) words.push("[flags]");
  return words.join(" ");
}

function programHelp(commands: readonly CommandSpec[], width: number): string[] {
  const rows = commands.flatMap((spec) => {
    if (spec.subcommands === undefined) {
      return [[`${[spec.name, ...(spec.positionals ?? []).map(positionalUsage)].join(" ")}`, spec.summary] as const];
    }
    return spec.subcommands.map((sub) =>
      [
        `${[spec.name, sub.name, ...(sub.positionals ?? []).map(positionalUsage)].join(" ")}`,
        spec.subcommands?.length === 1 ? spec.summary : sub.summary,
      ] as const
    );
  });
  return [
    "labferry moves, proves, archives and frees the data of laboratory instruments",
    "",
    "Usage: labferry [global flags] <command> [arguments]",
    "",
    "Commands:",
    ...table(rows, width),
    "",
    "Global flags (before or after the command):",
    ...table(GLOBAL_FLAGS.map(flagRow), width),
    "",
    'See "labferry <command> --help" for one command.',
  ];
}

function commandHelp(spec: CommandSpec, path: readonly string[], width: number): string[] {
  const lines = [`${spec.summary}`, "", `Usage: ${usageLine(spec, path)}`];
  if (spec.about !== undefined) lines.push("", ...wrap(spec.about, width));
  if (spec.subcommands !== undefined) {
    lines.push("", "Commands:", ...table(spec.subcommands.map((sub) => [sub.name, sub.summary] as const), width));
  }
  if (spec.positionals !== undefined) {
    const rows = spec.positionals.map((positional) => [positionalUsage(positional), positional.summary] as const);
    lines.push("", "Arguments:", ...table(rows, width));
  }
  if ((spec.flags ?? []).length > 0) lines.push("", "Flags:", ...table((spec.flags ?? []).map(flagRow), width));
  lines.push("", "Global flags:", ...table(GLOBAL_FLAGS.map(flagRow), width));
  if (spec.load !== undefined) {
    const exits = [...spec.exits ?? [[0, "success"] as const], ...ALWAYS].toSorted((a, b) => a[0] - b[0]);
    lines.push("", "Exit codes:", ...table(exits.map(([code, meaning]) => [String(code), meaning] as const), width));
  }
  if (spec.example !== undefined) lines.push("", "Example:", `  ${spec.example}`);
  return lines;
}

function positionalUsage({ name, optional, many }: PositionalSpec): string {
  const dots = many ? `${name}…` : name;
  return optional ? `[${dots}]` : dots;
}

function flagRow(flag: FlagSpec): readonly [string, string] {
  const value = flag.value === undefined
    ? ""
    : flag.bare
    ? `[=${flag.value}]`
    : ` ${flag.choices?.join("|") ?? flag.value}`;
  return [`${flag.short === undefined ? "    " : `-${flag.short}, `}--${flag.name}${value}`, flag.summary];
}

function table(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.min(36, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(30, width - left - 4));
    const first = name.length > left ? [`  ${name}`] : [];
    return [
      ...first,
      ...lines.map((line, at) => `  ${(at === 0 && first.length === 0 ? name : "").padEnd(left)}  ${line}`),
    ];
  });
}

/** Returns a text in lines of at most `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
