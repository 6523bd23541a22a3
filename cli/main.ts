/** From words to an exit code. Everything heavy is loaded when it is needed, so that `--version` is quick. @module */
import { PipelineError } from "../core/errors.ts";
import { settledWithin } from "../core/settled_within.ts";
import type { Command, CommandContext, CommandSpec, Hosting } from "./command.ts";
import type { Invocation } from "./parse.ts";
import { parseCommandLine } from "./parse.ts";
import { COMMANDS } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { versionWords } from "./version.ts";
import { visibleTerminal } from "./visible_terminal.ts";

export interface MainOptions extends Hosting {
  /** Default: those of this program. */
  commands?: readonly CommandSpec[];
}

/** How long (ms) the files of credentials may take to answer before the log is written without them. */
const SECRETS_MS = 2_000;

/** Runs one command line; resolves to the exit code and never rejects. */
export async function main(
  argv: readonly string[],
  drawn: Terminal,
  { commands = COMMANDS, ...hosting }: MainOptions = {},
): Promise<number> {
  const terminal = visibleTerminal(drawn);
  let invocation: Invocation;
  try {
    invocation = await parseCommandLine(argv, commands);
  } catch (error) {
    const { reportMisuse } = await import("./misuse.ts");
    return await reportMisuse(error, { argv, terminal, commands });
  }
  if (invocation.kind === "version") {
    terminal.out(`${versionWords()}\n`);
    return 0;
  }
  if (invocation.kind === "help") {
    const { helpText } = await import("./help.ts");
    terminal.out(helpText(commands, invocation.command, Math.min(terminal.columns(), 100)));
    return 0;
  }
  const inner: CommandContext["inner"] = (argv, { terminal: parts, ...hosting } = {}) => {
    // The rest is inherited. What one process notes of itself is noted for each of them.
    const own = Object.assign(Object.create(drawn) as Terminal, { failureEvent: {} }, parts);
    return main(argv, own, { commands, ...hosting });
  };
  return await runCommand(invocation, { terminal, drawn, more: { ...hosting, inner } });
}

async function runCommand(
  { spec, args, globals }: Extract<Invocation, { kind: "run" }>,
  { terminal, drawn, more }: { terminal: Terminal; drawn: Terminal; more: Pick<CommandContext, "inner"> & Hosting },
): Promise<number> {
  const [{ locate }, { openLog }, { createScreen }, { collectTrouble, openNotices }, { hideSecrets }] = await Promise
    .all([
      import("./locations.ts"),
      import("./log.ts"),
      import("./screen.ts"),
      import("./notices.ts"),
      import("./hide_secrets.ts"),
    ]);
  const screen = createScreen(drawn);
  let locations: CommandContext["locations"];
  try {
    const { env, system, cwd } = terminal;
    locations = locate({ config: globals.config, stateDir: globals.stateDir, env, system, cwd });
  } catch (error) {
    return await reportBare(error, terminal);
  }
  const toFile = spec.log === "file" && !args.has("dry-run");
  // The log comes first: a scheduled task that cannot start leaves a trace. All that stands before it is a look, for at
  // most 2 s, at whether it would lie among the data of the instrument, which the command then says itself.
  const look = toFile ? await (await import("./state_apart.ts")).lookAtState(locations) : undefined;
  const { openLogFile } = look && !look.astray ? await import("./log_file.ts") : {};
  using logs = openLog({
    format: globals.logFormat,
    verbose: globals.verbose,
    quiet: globals.quiet,
    err: screen.write,
    isTerminal: terminal.errIsTerminal,
    env: terminal.env,
    now: terminal.now,
    openFile: openLogFile && (() => openLogFile(locations.logDir, { now: terminal.now() })),
  });
  const log = logs.logger;
  const name = args.command.join(" ");
  const smtpEnv = spec.flags?.some((flag) => flag.name === "smtp-env") ? args.value("smtp-env") : undefined;
  // Before anything is logged that may repeat one. Who cannot read them within 2 s cannot repeat them yet.
  await settledWithin(SECRETS_MS, hideSecrets(logs.scrubber, { terminal, locations, smtpEnv }));
  // What is logged is told of; a command that keeps no log tells whoever typed it.
  const trouble = toFile && !spec.silent ? collectTrouble(logs) : undefined;
  const parts = { ...more, terminal, globals, locations, log, logs, screen };
  const notices = openNotices(parts, { smtpEnv, trouble });
  // On stderr this would only repeat what was typed.
  if (logs.file !== undefined || globals.verbose) {
    log.info(`${versionWords()} ${name} begins`, { host: terminal.host });
  }
  for (const what of look?.unseen ?? []) {
    log.warn(`Cannot tell whether the state folder "${locations.stateDir}" lies apart from ${what}`);
  }
  let code: number;
  try {
    const { run } = await loadCommand(spec);
    code = await run(args, { ...parts, notices });
  } catch (error) {
    const { exitCodeOf, renderError } = await import("./render_error.ts");
    code = exitCodeOf(error, args.command[0] === "run" ? args.find("PIPELINE") : args.command[0]);
    screen.live([]);
    reportError(error, { text: renderError(error, globals), json: globals.logFormat === "json", logs, screen });
  }
  screen.live([]);
  if (!spec.silent && !args.has("dry-run")) await notices.flush();
  if (logs.file !== undefined || globals.verbose) log.info(`labferry ${name} ends with exit code ${code}`);
  return code;
}

function loadCommand(spec: CommandSpec): Promise<{ run: Command }> {
  if (spec.load === undefined) throw new TypeError(`Cannot load "${spec.name}": the table names no module`);
  return spec.load();
}

/** The log gets every error as a line; people get the words on stderr, machines the line. */
function reportError(
  error: unknown,
  { text, json, logs, screen }: { text: string; json: boolean } & Pick<CommandContext, "logs" | "screen">,
): void {
  const message = error instanceof Error ? error.message : String(error);
  const { code, hint, cause, findings } = error instanceof PipelineError ? error : {};
  // Whoever pressed Ctrl+C knows of it.
  const isKnown = error instanceof DOMException && error.name === "AbortError";
  logs.fatal(
    message,
    error instanceof PipelineError
      ? { code, hint, cause, findings }
      : isKnown
      ? { code: "cli/interrupted" }
      : { error },
  );
  if (!json) screen.write(logs.scrubber.text(text));
}

async function reportBare(error: unknown, terminal: Terminal): Promise<number> {
  const { exitCodeOf, renderError } = await import("./render_error.ts");
  const { createScrubber } = await import("./scrub.ts");
  terminal.err(createScrubber(terminal.env).text(renderError(error)));
  return exitCodeOf(error);
}
