/** A command line that cannot be run: words on stderr, a trace in the log file, and the event of its pipeline. @module */
import type { CommandSpec } from "./command.ts";
import type { Failure } from "./failure_event.ts";
import { helpText, usageText } from "./help.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { openLog } from "./log.ts";
import type { LogControl } from "./log.ts";
import { openLogFile } from "./log_file.ts";
import { exitCodeOf, renderError } from "./render_error.ts";
import { findCommand } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { locateIn, whereabouts } from "./whereabouts.ts";
import { UsageError } from "./usage.ts";

interface Misuse {
  argv: readonly string[];
  terminal: Terminal;
  commands: readonly CommandSpec[];
}

/** Says what is wrong with the command line; resolves to the exit code. */
export async function reportMisuse(error: unknown, { argv, terminal, commands }: Misuse): Promise<number> {
  const asJson = wantsJson(argv);
  const known = error instanceof UsageError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  using logs = openLog({
    format: asJson ? "json" : "text",
    verbose: false,
    quiet: false,
    err: terminal.err,
    isTerminal: terminal.errIsTerminal,
    env: terminal.env,
    now: terminal.now,
    openFile: await isApart({ argv, terminal }) ? logFileOf(known, { argv, terminal, commands }) : undefined,
  });
  const at = whereabouts({ argv, terminal });
  await hideSecrets(logs.scrubber, at);
  logs.fatal(message, known ? { code: known.code, hint: known.hint, host: terminal.host } : { error });
  const exitCode = exitCodeOf(error);
  if (!asJson) {
    terminal.err(logs.scrubber.text(renderError(error)));
    if (argv.length === 0) terminal.err(helpText(commands, [], Math.min(terminal.columns(), 100)));
    else if (known) terminal.err(usageText(commands, known.command));
  }
  const failure = { exitCode, code: known?.code ?? "internal/unexpected", message };
  await tellPeople(failure, { argv, commands, terminal, logs });
  return exitCode;
}

/** A misspelled command of a scheduled task may be the only one that ever runs: it delivers its own event. */
async function tellPeople(failure: Failure, { logs, ...by }: Misuse & { logs: LogControl }): Promise<void> {
  const { queueUnstarted } = await import("./failure_event.ts");
  const log = logs.logger;
  if (!await queueUnstarted(failure, { ...by, log, logs })) return;
  const { terminal } = by;
  const { drainOutbox } = await import("./drain.ts");
  try {
    const { locations, smtpEnv } = whereabouts(by);
    if (locations) await drainOutbox({ terminal, locations, log, logs }, { smtpEnv, trouble: [] });
  } catch (error) {
    log.warn(`Events cannot be delivered: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some((word, at) => word === "--log-format=json" || (word === "json" && argv[at - 1] === "--log-format"));
}

async function isApart({ argv, terminal }: Pick<Misuse, "argv" | "terminal">): Promise<boolean> {
  const { whyStateIsNotApart } = await import("./state_apart.ts");
  try {
    return await whyStateIsNotApart(locateIn(argv, terminal)) === undefined;
  } catch {
    return true; // without a home there is no state folder either
  }
}

/** A scheduled task with a misspelled flag leaves a trace, as any other that cannot start; a dry run writes nothing. */
function logFileOf(error: UsageError | undefined, { argv, terminal, commands }: Misuse) {
  const [word] = error?.command ?? [];
  if (word === undefined || findCommand(commands, word)?.log !== "file" || argv.includes("--dry-run")) return undefined;
  return () => {
    const { logDir } = locateIn(argv, terminal);
    return openLogFile(logDir, { now: terminal.now() });
  };
}
