/** The terminal of this process. @module */
import { hostname } from "node:os";
import type { Interrupts, Terminal } from "./terminal.ts";
import { interruption } from "./interruption.ts";

/**
 * Returns the streams, the environment and the signals of this process. Once `broken` is aborted, every command is told
 * to stop at once, as by two interrupts.
 */
export function processTerminal({ broken }: { broken: AbortSignal }): Terminal {
  const encoder = new TextEncoder();
  return {
    out: (text) => writeAll(Deno.stdout, encoder.encode(text)),
    err: (text) => writeAll(Deno.stderr, encoder.encode(text)),
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
    interrupts: () => listen(broken),
    broken,
    failureEvent: {},
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

function listen(broken: AbortSignal): Interrupts {
  const stop = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    const reason = interruption();
    if (stop.signal.aborted) abort.abort(reason);
    else stop.abort(reason);
  };
  // Windows knows SIGINT, and SIGBREAK (Ctrl+Break) in place of SIGTERM.
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    stop: AbortSignal.any([stop.signal, broken]),
    abort: AbortSignal.any([abort.signal, broken]),
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
