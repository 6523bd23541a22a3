/**
 * Runs child processes by argv, without a shell. Output goes to the log and to stderr, never to stdout.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { ExecOptions, Logger } from "../ports.ts";
import { isGone, keepChild, signalChild } from "./children.ts";
import { isAbsent } from "./io_errors.ts";
import { commandLine, whyDenied } from "./programs.ts";

export interface RunProcessOptions {
  signal: AbortSignal;
  log: Pick<Logger, "info">;
  /** Receives the child's output line by line, without the newline. */
  stderr: (line: string) => void;
  /** Takes secrets out of a text. Asked before a long line is cut: half a secret would not be known for one. */
  hide?: (text: string) => string;
  /** How long a child whose time is over may take to end before it is killed, in ms. Default: 5 s. */
  graceMs?: number;
  /** The same once the signal was aborted: less than the run waits for its step. Default: `graceMs`. */
  abortGraceMs?: number;
  /** Called with the number of the child once it runs; disposed of when it and what it started have ended. */
  note?: (pid: number) => Disposable | undefined;
  /** Calls `act` in `ms` unless the returned function is called before: keeps the time limit. Default: a timer. */
  after?: (ms: number, act: () => void) => () => void;
}

/** Lines longer than this (characters) are cut into several, so that a child without newlines cannot fill the memory. */
const LONGEST_LINE = 16 * 1024;
/** What is looked at behind a cut (characters): where a secret begins before it and ends behind it, it is not made. */
const BEHIND_CUT = 16 * 1024;
/** How far a cut that would divide a secret is moved back each time. */
const CUT_STEP = 512;
/** How long output may keep coming after the child's end: grandchildren can hold its pipes open for ever. */
const DRAIN_MS = 1_000;
const GRACE_MS = 5_000;

interface Lines {
  line: (text: string) => void;
  hide: (text: string) => string;
  stop: AbortSignal;
}

async function eachLine(stream: ReadableStream<Uint8Array>, { line, hide, stop }: Lines) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = () => void reader.cancel().catch(() => {/* the stream ended by itself meanwhile */});
  stop.addEventListener("abort", cancel, { once: true });
  /** Gives on the parts of a line while it is longer than `most`. */
  const inParts = (text: string, most: number) => {
    let from = 0;
    while (text.length - from > most) {
      const end = from + cutPoint(text.slice(from, from + LONGEST_LINE + BEHIND_CUT), hide);
      line(text.slice(from, end));
      from = end;
    }
    return text.slice(from);
  };
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const text of lines) line(inParts(text, LONGEST_LINE));
    rest = inParts(rest, LONGEST_LINE + BEHIND_CUT);
  }
  stop.removeEventListener("abort", cancel);
  if (rest !== "") line(inParts(rest, LONGEST_LINE));
}

/** Where a text is cut so that no secret is divided: half of one would not be known for one. */
function cutPoint(text: string, hide: Lines["hide"]): number {
  const whole = hide(text);
  for (let at = Math.min(LONGEST_LINE, text.length); at > 0; at -= CUT_STEP) {
    if (hide(text.slice(0, at)) + hide(text.slice(at)) === whole) return at;
  }
  return text.length; // one secret through and through: as a whole it is hidden
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
      const { why, hint } = whyDenied(argv[0]);
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
 * to stop and, after their grace, killed; no end of this process outruns that (`killChildren`).
 * @throws {PipelineError} `hook/failed` on an exit code other than 0, `hook/timeout`, `hook/not-found`,
 * `hook/not-executable`; each names what was run. The signal's reason when it aborted.
 */
export async function runProcess(options: ExecOptions, run: RunProcessOptions): Promise<void> {
  const { argv, timeoutMs } = options;
  if (argv.length === 0) throw new RangeError("runProcess wants a program");
  run.signal.throwIfAborted();
  const child = spawn(argv, options);
  const kept = new DisposableStack();
  kept.use(keepChild(child));
  kept.use(run.note?.(child.pid));
  const line = (text: string) => {
    run.log.info(text, { program: argv[0] });
    run.stderr(text);
  };
  const undrained = new AbortController();
  const { hide = (text) => text } = run;
  const lines = { line, hide, stop: undrained.signal };
  const output = Promise.all([eachLine(child.stdout, lines), eachLine(child.stderr, lines)]);
  let timedOut = false;
  let killer: ReturnType<typeof setTimeout> | undefined;
  const { graceMs = GRACE_MS, abortGraceMs = graceMs } = run;
  const stop = (ms: number) => {
    clearTimeout(killer);
    killer = setTimeout(() => void signalChild(child, "SIGKILL"), ms);
    void signalChild(child, "SIGTERM");
  };
  const cancelLimit = timeoutMs === undefined ? undefined : (run.after ?? afterReal)(timeoutMs, () => {
    timedOut = true;
    if (!run.signal.aborted) stop(graceMs);
  });
  const onAbort = () => stop(abortGraceMs);
  run.signal.addEventListener("abort", onAbort, { once: true });
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
    run.signal.removeEventListener("abort", onAbort);
    // What the child started may have ignored the request and outlived it. Of a child that ended by itself it stays:
    // a hook may well be there to start something. On Windows the tree was ended at once, and its number may be another's.
    if (killer !== undefined && Deno.build.os !== "windows") await signalChild(child, "SIGKILL");
    if (killer === undefined || await isGone(child)) kept[Symbol.dispose]();
  }
}
