#!/usr/bin/env -S deno run -A
/** The program: the only file that touches the process's arguments and its exit. @module */
import process from "node:process";
import type { CrashDeadlines } from "./cli/crash.ts";
import { interruption } from "./cli/interruption.ts";
import { main } from "./cli/main.ts";
import { processTerminal } from "./cli/process_terminal.ts";
import type { Terminal } from "./cli/terminal.ts";
import { killChildren } from "./core/io/children.ts";
import { settledWithin } from "./core/settled_within.ts";

const exit = Deno.exit;
/** How long (ms) the last thing before a forced end may take. */
const LAST_MS = 1_000;

/** From here on only the command line ends the process: a stage from outside that tries to has failed (SAFETY S18). */
function keepExit(): void {
  const refuse = () => {
    throw new Error("only labferry itself ends the process");
  };
  for (const [owner, name] of [[Deno, "exit"], [process, "exit"], [globalThis, "close"]] as const) {
    Object.defineProperty(owner, name, { value: refuse, configurable: true, writable: true });
  }
}

/** No child outlives this process, whatever ends it here: it would work on where the next run begins. */
async function endWith(code: number, last?: () => Promise<unknown>): Promise<void> {
  const killed = killChildren();
  const told = (async () => await last?.())(); // nothing it does keeps the process from ending
  await Promise.allSettled([killed, settledWithin(LAST_MS, told)]);
  // One that was started meanwhile.
  void killChildren();
  exit(code);
}

/**
 * Runs the command line of this process and ends it with the exit code. Never a silent 0: a rejection nobody handles,
 * an exception outside of any promise, or a command that waits for nothing ends the process with 3 (the monitor: 1) and its words.
 */
export function start(
  run: (argv: readonly string[], terminal: Terminal) => Promise<number>,
  { crash }: { crash?: CrashDeadlines } = {},
): void {
  keepExit();
  const broken = new AbortController();
  let isDone = false;
  let ending: Promise<void> | undefined;
  const end = (code: number, last?: () => Promise<unknown>): void => {
    isDone = true;
    // A second reason to end comes too late: this takes a second at most.
    ending ??= endWith(code, last);
  };
  const terminal = processTerminal({ broken: broken.signal, exit: end });
  let isBroken = false;
  const endUnexpectedly = async (error: unknown) => {
    // The first error is the one to tell; others follow from it.
    if (isBroken) return;
    isBroken = true;
    // Before anything is awaited: what is at work takes nothing more away while the words are written.
    broken.abort(interruption());
    const { reportCrash } = await import("./cli/crash.ts");
    end(await reportCrash(error, { argv: Deno.args, terminal, deadlines: crash }));
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    void endUnexpectedly(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    void endUnexpectedly(event.error ?? event.message);
  });
  globalThis.addEventListener("beforeunload", (event) => {
    if (isDone) return;
    // Keeps the loop turning until the words are out.
    event.preventDefault();
    void endUnexpectedly(new Error("nothing is left to wait for, but the command has not ended"));
  });
  // Whatever ends the process without coming by here is no success either.
  Deno.exitCode = 3;
  run(Deno.args, terminal).then((code) => {
    if (!isBroken) end(code);
  }, endUnexpectedly);
}

if (import.meta.main) start(main);
