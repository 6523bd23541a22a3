/**
 * Runs child processes by argv, without a shell. Output goes to the log and to stderr, never to stdout.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { ExecOptions, Logger } from "../ports.ts";
import { isAbsent } from "./io_errors.ts";
import { commandLine, NOT_EXECUTABLE } from "./programs.ts";

export interface RunProcessOptions {
  signal: AbortSignal;
  log: Pick<Logger, "info">;
  /** Receives the child's output line by line, without the newline. */
  stderr: (line: string) => void;
  /** How long a child that was told to stop may take before it is killed, in ms. */
  graceMs?: number;
  /** Calls `act` in `ms` unless the returned function is called before: keeps the time limit. Default: a timer. */
  after?: (ms: number, act: () => void) => () => void;
}

/** Lines longer than this are cut into several, so that a child without newlines cannot fill the memory. */
const LONGEST_LINE = 16 * 1024;
/** How long output may keep coming after the child's end: grandchildren can hold its pipes open for ever. */
const DRAIN_MS = 1_000;

async function eachLine(stream: ReadableStream<Uint8Array>, line: (text: string) => void, stop: AbortSignal) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = () => void reader.cancel().catch(() => {/* the stream ended by itself meanwhile */});
  stop.addEventListener("abort", cancel, { once: true });
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const text of lines) line(text);
    for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) line(rest.slice(0, LONGEST_LINE));
  }
  stop.removeEventListener("abort", cancel);
  if (rest !== "") line(rest);
}

/** Ends the child and what it started: the process group on POSIX, the process tree on Windows. */
async function end(child: Deno.ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  try {
    if (Deno.build.os !== "windows") return Deno.kill(-child.pid, signal);
    const args = ["/T", "/F", "/PID", `${child.pid}`];
    const killed = await new Deno.Command("taskkill", { args, stdout: "null", stderr: "null" }).output();
    if (killed.success) return;
  } catch {
    // The group or the tool is gone: the child itself is what is left to end.
  }
  try {
    child.kill(signal);
  } catch {
    // It ended by itself between the decision and the signal.
  }
}

/** Whether a program given by its path is not there; Windows does not say so by the class of the error. */
function isMissing(program: string): boolean {
  if (!/[\\/]/.test(program)) return false;
  try {
    Deno.statSync(program);
    return false;
  } catch (error) {
    return isAbsent(error);
  }
}

function spawn(argv: readonly string[], options: ExecOptions): Deno.ChildProcess {
  const { cwd, env } = options;
  try {
    return new Deno.Command(argv[0], {
      args: argv.slice(1),
      cwd,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: Deno.build.os !== "windows",
    }).spawn();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || isMissing(argv[0])) {
      throw new PipelineError("hook/not-found", `Cannot run "${argv[0]}": no such program or working folder`, {
        cause,
        hint: "Give the full path of the program, with its extension on Windows.",
      });
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      const { why, hint } = NOT_EXECUTABLE;
      throw new PipelineError("hook/not-executable", `Cannot run "${argv[0]}": ${why}`, { cause, hint });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError("hook/failed", `Cannot run "${commandLine(argv)}": ${why}`, { cause });
  }
}

function afterReal(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/**
 * Runs a child process to its end. With a timeout, or when the signal aborts, the child and what it started are told
 * to stop and, after `graceMs` (5 s), killed.
 * @throws {PipelineError} `hook/failed` on an exit code other than 0, `hook/timeout`, `hook/not-found`,
 * `hook/not-executable`; each names what was run. The signal's reason when it aborted.
 */
export async function runProcess(options: ExecOptions, run: RunProcessOptions): Promise<void> {
  const { argv, timeoutMs } = options;
  if (argv.length === 0) throw new RangeError("runProcess wants a program");
  run.signal.throwIfAborted();
  const child = spawn(argv, options);
  const line = (text: string) => {
    run.log.info(text, { program: argv[0] });
    run.stderr(text);
  };
  const undrained = new AbortController();
  const output = Promise.all([
    eachLine(child.stdout, line, undrained.signal),
    eachLine(child.stderr, line, undrained.signal),
  ]);
  let timedOut = false;
  let killer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    killer ??= setTimeout(() => void end(child, "SIGKILL"), run.graceMs ?? 5_000);
    void end(child, "SIGTERM");
  };
  const cancelLimit = timeoutMs === undefined ? undefined : (run.after ?? afterReal)(timeoutMs, () => {
    timedOut = true;
    stop();
  });
  run.signal.addEventListener("abort", stop, { once: true });
  try {
    const status = await child.status;
    const drain = setTimeout(() => undrained.abort(), DRAIN_MS);
    await output.finally(() => clearTimeout(drain));
    run.signal.throwIfAborted();
    if (timedOut) {
      throw new PipelineError(
        "hook/timeout",
        `Cannot run "${commandLine(argv)}": it ran, and was not finished after ${timeoutMs} ms`,
      );
    }
    if (!status.success) {
      const how = status.signal === null ? `ended with exit code ${status.code}` : `was ended by ${status.signal}`;
      throw new PipelineError(
        "hook/failed",
        `Cannot run "${commandLine(argv)}": it ran and ${how}, wanted exit code 0`,
      );
    }
  } finally {
    cancelLimit?.();
    clearTimeout(killer);
    // What the child started may have ignored the request and outlived it.
    if (killer !== undefined && Deno.build.os !== "windows") await end(child, "SIGKILL");
    run.signal.removeEventListener("abort", stop);
  }
}
