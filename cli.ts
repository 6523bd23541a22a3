#!/usr/bin/env -S deno run -A
/** The program: the only file that touches the process's arguments and its exit. @module */
import { main } from "./cli/main.ts";
import { processTerminal } from "./cli/process_terminal.ts";

if (import.meta.main) {
  const terminal = processTerminal();
  let isDone = false;
  const end = (code: number): never => {
    isDone = true;
    return Deno.exit(code);
  };
  const endUnexpectedly = async (error: unknown) => {
    const { reportCrash } = await import("./cli/crash.ts");
    end(reportCrash(error, terminal));
  };
  // Never a silent 0: whatever goes wrong outside of the command's own promise ends here.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    void endUnexpectedly(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    void endUnexpectedly(event.error ?? event.message);
  });
  Deno.exitCode = 3;
  globalThis.addEventListener("beforeunload", (event) => {
    if (isDone) return;
    // Keeps the loop turning until the words are out.
    event.preventDefault();
    void endUnexpectedly(new Error("nothing is left to wait for, but the command has not ended"));
  });
  main(Deno.args, terminal).then(end, endUnexpectedly);
}
