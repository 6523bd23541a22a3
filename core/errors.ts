/**
 * Errors a user can meet. Misuse of the API by code throws TypeError, RangeError or SyntaxError instead.
 * @module
 */

/** Exit codes of the command line (DESIGN 4): 1 the work failed, 2 the configuration is wrong, 3 unexpected. */
export type ExitCode = 1 | 2 | 3;

/** Whether trying again may help: `transient` (network, busy file), or `permanent`. */
export type Retry = "transient" | "permanent";

/** One thing found wrong, for errors that carry several (a study's findings, the names a target cannot hold). */
export interface Finding {
  /** Stable code of the rule, for example `R6` or `health/mtime-gap`. */
  rule: string;
  severity: "error" | "warning";
  /** What it is about: a path relative to the item, `/`-separated; empty for the item itself. */
  path: string;
  message: string;
}

/** What a `PipelineError` may carry besides code and message. */
export interface PipelineErrorOptions extends ErrorOptions {
  /** What to do about it, one or two sentences for the person on call. */
  hint?: string;
  /** `transient` is retried by the engine where the pipeline says so. Default: `permanent`. */
  retry?: Retry;
  /** Set when the whole run must stop, with this exit code; otherwise only the item fails. */
  stopsRun?: ExitCode;
  /** The single findings behind the error. */
  findings?: readonly Finding[];
}

/**
 * An error in words a person at night can act on. `code` is `area/problem`; the message reads
 * `Cannot <verb> "<thing>": <state found>`, then the wanted state if known; no final period.
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  readonly code: string;
  readonly hint?: string;
  readonly retry: Retry;
  readonly stopsRun?: ExitCode;
  readonly findings: readonly Finding[];

  constructor(code: string, message: string, options: PipelineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? "permanent";
    this.stopsRun = options.stopsRun;
    this.findings = options.findings ?? [];
  }
}

/** Returns `error` as a `PipelineError`; what is not one becomes `internal/unexpected` with its cause kept. */
export function asPipelineError(error: unknown, doing: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new PipelineError("internal/unexpected", `Cannot ${doing}: ${reason}`, {
    cause: error,
    hint: "Nobody expected this: keep the log and report it. Nothing unproved was deleted.",
  });
}
