/** The last words of a process that failed outside of any command. @module */
import type { Logger } from "../core/ports.ts";
import { visible } from "../core/visible.ts";
import { locate } from "./locations.ts";
import { openLogFile } from "./log_file.ts";
import { renderError } from "./render_error.ts";
import { createScrubber } from "./scrub.ts";
import type { SecretsContext } from "./secrets.ts";
import type { Terminal } from "./terminal.ts";

/** How long (ms) the event may take: a process that broke must end, and soon. */
const EVENT_MS = 2_000;

/** Says on stderr and in the log file what happened, and queues the event; resolves to exit code 3. Never rejects. */
export async function reportCrash(
  error: unknown,
  { argv, terminal }: { argv: readonly string[]; terminal: Terminal },
): Promise<3> {
  const scrubber = createScrubber(terminal.env);
  const text = visible(scrubber.text(renderError(error, { verbose: true })));
  terminal.err(text);
  try {
    const { logDir } = locate({ env: terminal.env, system: terminal.system, cwd: terminal.cwd });
    const now = terminal.now();
    using file = openLogFile(logDir, { now });
    file.write(
      `${new Date(now).toISOString()} ${text.trimEnd().replace(/^error: /, "error ").replace(/\r?\n/g, "\\n")}`,
      now,
    );
  } catch {
    // stderr has the words already; a full disk may well be what went wrong.
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, EVENT_MS));
  await Promise.race([queueEvent(error, { argv, terminal, logs: { scrubber } }), late]);
  clearTimeout(timer);
  return 3;
}

async function queueEvent(
  error: unknown,
  by: { argv: readonly string[]; terminal: Terminal; logs: SecretsContext["logs"] },
): Promise<void> {
  try {
    const [{ queueUnstarted }, { COMMANDS }] = await Promise.all([import("./failure_event.ts"), import("./table.ts")]);
    const message = error instanceof Error ? error.message : String(error);
    const log: Pick<Logger, "debug" | "error"> = {
      debug: () => {},
      error: (words) => by.terminal.err(visible(`error: ${words}\n`)),
    };
    await queueUnstarted({ exitCode: 3, code: "internal/unexpected", message }, { ...by, commands: COMMANDS, log });
  } catch {
    // stderr and the log file have the words already.
  }
}
