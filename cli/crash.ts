/** The last words of a process that failed outside of any command. @module */
import { visible } from "../core/visible.ts";
import { locate } from "./locations.ts";
import { openLogFile } from "./log_file.ts";
import { renderError } from "./render_error.ts";
import { createScrubber } from "./scrub.ts";
import type { Terminal } from "./terminal.ts";

/** Says on stderr and in the log file what happened; returns exit code 3. Never throws. */
export function reportCrash(error: unknown, terminal: Terminal): 3 {
  const { text: scrub } = createScrubber(terminal.env);
  const text = visible(scrub(renderError(error, { verbose: true })));
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
  return 3;
}
