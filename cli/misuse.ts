/** A command line that cannot be run: words on stderr, a trace in the log file, and the event of its pipeline. @module */
import type { CommandSpec } from "./command.ts";
import { helpText, usageText } from "./help.ts";
import { locate } from "./locations.ts";
import { openLog } from "./log.ts";
import { openLogFile } from "./log_file.ts";
import { exitCodeOf, renderError } from "./render_error.ts";
import { createScrubber } from "./scrub.ts";
import { findCommand } from "./table.ts";
import type { Terminal } from "./terminal.ts";
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
    openFile: logFileOf(known, { argv, terminal, commands }),
  });
  logs.fatal(message, known ? { code: known.code, hint: known.hint, host: terminal.host } : { error });
  const exitCode = exitCodeOf(error);
  const { queueUnstarted } = await import("./failure_event.ts");
  const failure = { exitCode, code: known?.code ?? "internal/unexpected", message };
  await queueUnstarted(failure, { argv, commands, terminal, log: logs.logger });
  if (asJson) return exitCode;
  const scrubber = createScrubber(terminal.env);
  terminal.err(scrubber.text(renderError(error)));
  if (argv.length === 0) terminal.err(helpText(commands, [], Math.min(terminal.columns(), 100)));
  else if (known) terminal.err(usageText(commands, known.command));
  return exitCode;
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some((word, at) => word === "--log-format=json" || (word === "json" && argv[at - 1] === "--log-format"));
}

/** A scheduled task with a misspelled flag leaves a trace, as any other that cannot start; a dry run writes nothing. */
function logFileOf(error: UsageError | undefined, { argv, terminal, commands }: Misuse) {
  const [word] = error?.command ?? [];
  if (word === undefined || findCommand(commands, word)?.log !== "file" || argv.includes("--dry-run")) return undefined;
  return () => {
    const { logDir } = locate({ env: terminal.env, system: terminal.system, cwd: terminal.cwd });
    return openLogFile(logDir, { now: terminal.now() });
  };
}
