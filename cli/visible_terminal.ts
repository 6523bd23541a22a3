/** A terminal that nothing drives: names of files and words of others reach it with their control characters escaped. @module */
import { visible } from "../core/visible.ts";
import type { Terminal } from "./terminal.ts";

/** Returns the terminal for everything but the live lines, which `screen.ts` draws on the one given here. */
export function visibleTerminal(terminal: Terminal): Terminal {
  const shown: Partial<Terminal> = {
    out: (text) => terminal.out(visible(text)),
    err: (text) => terminal.err(visible(text)),
    ask: (question) => terminal.ask(visible(question)),
    askSecret: (question) => terminal.askSecret(visible(question)),
  };
  // The rest is inherited, since the working folder is asked for anew each time.
  return Object.assign(Object.create(terminal), shown);
}
