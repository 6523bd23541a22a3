/** stderr, shared by lines that stay and live lines that are drawn over. @module */
import { visible, visibleLine } from "../core/visible.ts";
import type { Terminal } from "./terminal.ts";

export interface Screen {
  /** Writes text that stays; the live lines move below it. */
  write(text: string): void;
  /** Replaces the live lines; none clears them. Does nothing when stderr is no terminal. */
  live(lines: readonly string[]): void;
}

/** Makes the screen of a terminal. Its own movements of the cursor are the only ones: those in texts are escaped. */
export function createScreen(terminal: Terminal): Screen {
  let shown: readonly string[] = [];
  const clear = () => shown.length === 0 ? "" : `\r\x1b[${shown.length}A\x1b[J`;
  const draw = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
  return {
    write(text) {
      terminal.err(`${clear()}${visible(text)}${draw(shown)}`);
    },
    live(lines) {
      if (!terminal.errIsTerminal) return;
      // A line that wraps would be counted once and drawn twice.
      const width = Math.max(20, terminal.columns() - 1);
      const fitted = lines.map((line) => fit(visibleLine(line), width));
      if (fitted.length === 0 && shown.length === 0) return;
      const before = clear();
      shown = fitted;
      terminal.err(`${before}${draw(shown)}`);
    },
  };
}

function fit(line: string, width: number): string {
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join("")}…`;
}
