/** Shows progress: live on a terminal, else a line in the log every 30 s. @module */
import type { ProgressSink } from "../core/run/progress.ts";
import type { CommandContext } from "./command.ts";
import { Progress } from "./progress.ts";

const LIVE_MS = 200;
const LINE_MS = 30_000;

/** Follows a run until disposed. Quiet shows nothing. */
export function showProgress(
  { terminal, screen, globals, log }: Pick<CommandContext, "terminal" | "screen" | "globals" | "log">,
): { sink: ProgressSink } & Disposable {
  const progress = new Progress(terminal.now);
  if (globals.quiet) return { sink: progress, [Symbol.dispose]() {} };
  const live = terminal.errIsTerminal && globals.logFormat === "text";
  const timer = live
    ? terminal.every(LIVE_MS, () => screen.live(progress.lines()))
    : terminal.every(LINE_MS, () => log.info(progress.summary()));
  return {
    sink: progress,
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      screen.live([]);
    },
  };
}
