/** The last words of a process that failed outside of any command. @module */
import { copyOf } from "../core/external/stage_error.ts";
import type { Logger } from "../core/ports.ts";
import { visible } from "../core/visible.ts";
import { settledWithin } from "../core/settled_within.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { openLogFile } from "./log_file.ts";
import { renderError } from "./render_error.ts";
import { createScrubber } from "./scrub.ts";
import type { Scrubber } from "./scrub.ts";
import type { Terminal } from "./terminal.ts";
import { whereabouts } from "./whereabouts.ts";

/** A process that broke must end, and soon; all in ms. */
export interface CrashDeadlines {
  /** What finding the secrets may take before the words are written. */
  secretsMs: number;
  /** What the event may take, one try to deliver it included. */
  eventMs: number;
  /** The part of it that is for the delivery. */
  deliverMs: number;
}

const DEADLINES: CrashDeadlines = { secretsMs: 500, eventMs: 5_000, deliverMs: 3_000 };

interface Crash {
  argv: readonly string[];
  terminal: Terminal;
  /** Default: half a second, and 5 s of which 3 s are for the delivery. */
  deadlines?: CrashDeadlines;
}

/**
 * Says on stderr and in the log file what happened, queues the event and tries to deliver it; resolves to exit code 3,
 * for the monitor 1. Never rejects.
 */
export async function reportCrash(thrown: unknown, { argv, terminal, deadlines = DEADLINES }: Crash): Promise<1 | 3> {
  const outside = terminal.outside?.words();
  // What code from outside throws need not bear being looked at.
  const error = outside === undefined ? thrown : copyOf(thrown);
  const scrubber = createScrubber(terminal.env);
  const at = whereabouts({ argv, terminal });
  await settledWithin(deadlines.secretsMs, hideSecrets(scrubber, at));
  const say = (words: string) => terminal.err(visible(scrubber.text(words)));
  const text = visible(scrubber.text(renderError(error, { verbose: true, outside })));
  terminal.err(text);
  try {
    const now = terminal.now();
    const { logDir } = at.locations!;
    using file = openLogFile(logDir, { now });
    file.write(
      `${new Date(now).toISOString()} ${text.trimEnd().replace(/^error: /, "error ").replace(/\r?\n/g, "\\n")}`,
      now,
    );
  } catch {
    // stderr has the words already; a full disk may well be what went wrong.
  }
  const told = { exitCode: 3 as 1 | 3 };
  await settledWithin(deadlines.eventMs, tell(error, { argv, terminal, deadlines, scrubber, say, told, outside }));
  return told.exitCode;
}

async function tell(
  error: unknown,
  { argv, terminal, deadlines, scrubber, say, told, outside }: Required<Crash> & {
    outside: string | undefined;
    scrubber: Scrubber;
    say: (words: string) => void;
    told: { exitCode: 1 | 3 };
  },
): Promise<void> {
  try {
    const [{ pipelineMeant, queueUnstarted }, { COMMANDS }] = await Promise.all([
      import("./failure_event.ts"),
      import("./table.ts"),
    ]);
    if (pipelineMeant(argv, COMMANDS) === "monitor") told.exitCode = 1;
    const { exitCode } = told;
    const said = error instanceof Error ? error.message : String(error);
    const message = outside === undefined ? said : `${said} (most likely code from outside: ${outside})`;
    const silent = () => {};
    const aloud = (words: string) => say(`error: ${words}\n`);
    const log: Logger = { debug: silent, info: silent, warn: aloud, error: aloud };
    const failure = { exitCode, code: "internal/unexpected", message };
    const logs = { scrubber };
    if (!await queueUnstarted(failure, { argv, terminal, logs, commands: COMMANDS, log })) return;
    const { locations, smtpEnv } = whereabouts({ argv, terminal });
    const { drainOutbox } = await import("./drain.ts");
    const options = { smtpEnv, trouble: [], deadlineMs: deadlines.deliverMs };
    if (locations) await drainOutbox({ terminal, locations, log, logs }, options);
  } catch {
    // stderr and the log file have the words already.
  }
}
