/** Turns the words of the command line into a command and its arguments. Pure. @module */
import { parseArgs } from "@std/cli/parse-args";
import type { Arguments, CommandSpec, FlagSpec, Globals } from "./command.ts";
import { commandFlags, findCommand } from "./table.ts";
import { unknownCommand, unknownFlag, usageError } from "./usage.ts";

export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  { name: "verbose", short: "v", summary: "Say more: debug lines, causes of errors." },
  { name: "quiet", short: "q", summary: "Say less: only errors, no progress." },
  { name: "log-format", value: "FORMAT", choices: ["text", "json"], summary: "Format of the log." },
  { name: "config", value: "PATH", summary: "Config file instead of ~/.config/labferry/config.toml." },
  {
    name: "state-dir",
    value: "PATH",
    summary: "Folder of the journal and the log instead of ~/.config/labferry/state.",
  },
  { name: "version", summary: "Print the version." },
  { name: "help", short: "h", summary: "Print help, also for one command." },
];

/** What the words ask for. */
export type Invocation =
  | { kind: "version" }
  | { kind: "help"; command: readonly string[] }
  | { kind: "run"; spec: CommandSpec; args: Arguments; globals: Globals };

interface Parsed {
  words: string[];
  switches: Set<string>;
  values: Map<string, string>;
}

/**
 * Parses the words after the program's name. Global flags may stand before or after the command.
 * @throws {PipelineError} `cli/…` for what the table does not know, with the nearest name and the usage.
 */
export async function parseCommandLine(
  argv: readonly string[],
  commands: readonly CommandSpec[],
): Promise<Invocation> {
  // What follows `--` is taken as it stands.
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const literal = argv.slice(end + 1);
  const before = await parseFlags(argv.slice(0, end), { flags: GLOBAL_FLAGS, command: [], stopEarly: true });
  if (before.switches.has("version")) return { kind: "version" };
  const [name, ...rest] = before.words;
  if (name === undefined) {
    if (before.switches.has("help")) return { kind: "help", command: [] };
    throw usageError("cli/no-command", `Cannot run: no command was given, wanted one of the commands below`, []);
  }
  if (name === "help") return { kind: "help", command: await knownPath(rest, commands) };
  const spec = findCommand(commands, name);
  if (spec === undefined) throw await unknownCommand(name, [], commands);
  const after = await parseFlags(rest, { flags: [...GLOBAL_FLAGS, ...commandFlags(spec)], command: [name] });
  if (after.switches.has("version")) return { kind: "version" };
  const [target, command, free] = spec.subcommands === undefined
    ? [spec, [name], after.words] as const
    : [findCommand(spec.subcommands, after.words[0] ?? ""), [name, after.words[0]], after.words.slice(1)] as const;
  const words = [...free, ...literal];
  const wantsHelp = before.switches.has("help") || after.switches.has("help");
  if (target === undefined) {
    if (wantsHelp && after.words.length === 0) return { kind: "help", command: [name] };
    if (after.words.length > 0 && commandFlags(spec).some((flag) => flag.secret && after.values.has(flag.name))) {
      throw usageError("cli/unknown-command", `Cannot run "${name}": its first word is no sub-command`, [name]);
    }
    if (after.words.length > 0) throw await unknownCommand(after.words[0], [name], spec.subcommands ?? []);
    const wanted = (spec.subcommands ?? []).map((sub) => sub.name).join(", ");
    throw usageError("cli/no-command", `Cannot run "${name}": no sub-command was given, wanted one of ${wanted}`, [
      name,
    ]);
  }
  if (wantsHelp) return { kind: "help", command };
  await refuseForeignFlags(after, { spec: target, command });
  return {
    kind: "run",
    spec: target,
    args: toArguments(after, { spec: target, command, words }),
    globals: toGlobals(before, after),
  };
}

async function knownPath(words: readonly string[], commands: readonly CommandSpec[]): Promise<string[]> {
  const path: string[] = [];
  let known: readonly CommandSpec[] = commands;
  for (const word of words) {
    const spec = findCommand(known, word);
    if (spec === undefined) throw await unknownCommand(word, path, known);
    path.push(word);
    known = spec.subcommands ?? [];
  }
  return path;
}

async function parseFlags(
  argv: readonly string[],
  options: { flags: readonly FlagSpec[]; command: readonly string[]; stopEarly?: boolean },
): Promise<Parsed> {
  const { flags, command, stopEarly = false } = options;
  const valued = flags.filter((flag) => flag.value !== undefined);
  const switches = flags.filter((flag) => flag.value === undefined);
  // parseArgs has no flag whose value may be left out: `--force` becomes `--force=`.
  const words = argv.map((word) => valued.some((flag) => flag.bare && word === `--${flag.name}`) ? `${word}=` : word);
  let unknown: string | undefined;
  const parsed = parseArgs(words, {
    boolean: switches.map((flag) => flag.name),
    string: ["_", ...valued.map((flag) => flag.name)],
    collect: valued.map((flag) => flag.name),
    alias: Object.fromEntries(flags.flatMap((flag) => flag.short === undefined ? [] : [[flag.short, flag.name]])),
    stopEarly,
    unknown(word, key) {
      if (key === undefined) return true;
      unknown ??= word.startsWith("--") ? word.replace(/=.*$/s, "") : `-${key}`;
      return false;
    },
  });
  if (unknown !== undefined) throw await unknownFlag(unknown, command, flags);
  const own = stopEarly ? words.slice(0, words.length - parsed._.length) : words;
  for (const flag of switches) {
    const joined = own.find((word) => word.startsWith(`--${flag.name}=`));
    if (joined === undefined) continue;
    throw usageError("cli/no-value", `Cannot use "${joined}": the flag --${flag.name} takes no value`, command);
  }
  return {
    words: parsed._.map(String),
    switches: new Set(switches.filter((flag) => parsed[flag.name] === true).map((flag) => flag.name)),
    values: new Map(valued.flatMap((flag) => {
      const value = oneValue(flag, parsed[flag.name] as string[], command);
      return value === undefined ? [] : [[flag.name, value]];
    })),
  };
}

function oneValue(flag: FlagSpec, given: readonly string[], command: readonly string[]): string | undefined {
  if (given.length === 0) return undefined;
  if (given.length > 1) {
    throw usageError(
      "cli/twice",
      `Cannot use --${flag.name}: it was given ${given.length} times, wanted once`,
      command,
    );
  }
  const [value] = given;
  if (value === "" && !flag.bare) {
    throw usageError(
      "cli/missing-value",
      `Cannot use --${flag.name}: no value was given, wanted ${flag.value}`,
      command,
    );
  }
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    const wanted = flag.choices.join(" or ");
    throw usageError("cli/bad-value", `Cannot use --${flag.name} "${value}": wanted ${wanted}`, command);
  }
  return value;
}

/** Flags of a sibling sub-command were parsed along, and are refused here. */
async function refuseForeignFlags(
  parsed: Parsed,
  { spec, command }: { spec: CommandSpec; command: readonly string[] },
): Promise<void> {
  const own = [...GLOBAL_FLAGS, ...spec.flags ?? []];
  for (const name of [...parsed.switches, ...parsed.values.keys()]) {
    if (!own.some((flag) => flag.name === name)) throw await unknownFlag(`--${name}`, command, own);
  }
}

function toArguments(
  parsed: Parsed,
  { spec, command, words }: { spec: CommandSpec; command: readonly string[]; words: readonly string[] },
): Arguments {
  const given = new Map<string, readonly string[]>();
  let at = 0;
  for (const positional of spec.positionals ?? []) {
    const taken = positional.many ? words.slice(at) : words.slice(at, at + 1);
    at += taken.length;
    if (taken.includes("")) {
      throw usageError("cli/empty-argument", `Cannot use an empty ${positional.name}: wanted a value`, command);
    }
    if (taken.length === 0 && !positional.optional) {
      const what = `Cannot run "${command.join(" ")}": ${positional.name} is missing`;
      throw usageError("cli/missing-argument", what, command);
    }
    given.set(positional.name, taken);
  }
  if (at < words.length) {
    const isHidden = spec.flags?.some((flag) => flag.secret);
    const what = `Cannot run "${command.join(" ")}": unexpected argument${isHidden ? "" : ` "${words[at]}"`}`;
    const hint = isHidden
      ? "It is not shown: it may be part of a password, which needs quotes if it holds spaces"
      : undefined;
    throw usageError("cli/unexpected-argument", what, command, hint);
  }
  return {
    command,
    has: (flag) => parsed.switches.has(flag),
    value: (flag) => parsed.values.get(flag),
    find: (name) => given.get(name)?.[0],
    all: (name) => given.get(name) ?? [],
    at(name) {
      const word = given.get(name)?.[0];
      if (word === undefined) throw new TypeError(`Cannot read argument ${name}: it is not in the table`);
      return word;
    },
  };
}

function toGlobals(before: Parsed, after: Parsed): Globals {
  const has = (name: string) => before.switches.has(name) || after.switches.has(name);
  const value = (name: string) => after.values.get(name) ?? before.values.get(name);
  return {
    verbose: has("verbose"),
    quiet: has("quiet"),
    logFormat: value("log-format") === "json" ? "json" : "text",
    config: value("config"),
    stateDir: value("state-dir"),
  };
}
