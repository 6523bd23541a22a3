/** The terminal of this process. @module */
import { hostname } from "node:os";
import { type InterruptParts, openInterrupts } from "./interrupts.ts";
import { OutsideCode } from "./outside_code.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Returns the streams, the environment and the signals of this process. Once `broken` is aborted, every command is told
 * to stop at once, as by two interrupts. `exit` ends the process.
 */
export function processTerminal({ broken, exit }: Pick<InterruptParts, "broken" | "exit">): Terminal {
  const encoder = new TextEncoder();
  const err = (text: string) => writeAll(Deno.stderr, encoder.encode(text));
  return {
    out: (text) => writeAll(Deno.stdout, encoder.encode(text)),
    err,
    outIsTerminal: Deno.stdout.isTerminal(),
    errIsTerminal: Deno.stderr.isTerminal(),
    columns,
    env: Deno.env.toObject(),
    system: Deno.build.os === "windows" ? "windows" : "posix",
    host: hostname(),
    get cwd() {
      return Deno.cwd();
    },
    now: Date.now,
    every(ms, tick) {
      const timer = setInterval(tick, ms);
      Deno.unrefTimer(timer);
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
    interrupts: (options) => openInterrupts({ broken, listen, after, err, exit }, options),
    broken,
    failureEvent: {},
    outside: new OutsideCode(),
    ask: (question) => Deno.stdin.isTerminal() ? prompt(question) : null,
    async askSecret(question) {
      if (!Deno.stdin.isTerminal()) return null;
      const { promptSecret } = await import("@std/cli/prompt-secret");
      return promptSecret(question, { mask: "", clear: true });
    },
  };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    // The reader has gone (`labferry list | head`): nobody is left to tell, and the work goes on.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // Neither stream is a terminal.
    return 80;
  }
}

/** Calls back at every signal that asks this process to end, until disposed. */
function listen(onSignal: () => void): Disposable {
  // Windows knows SIGINT, and SIGBREAK (Ctrl+Break) in place of SIGTERM.
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
    },
  };
}

function after(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
