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
  /** A warning never fails an item. */
  severity: "error" | "warning";
  /** What it is about: a path relative to the item, `/`-separated; empty for the item itself. */
  path: string;
  /** One sentence without a final period. */
  message: string;
}

/** What a `PipelineError` may carry besides code and message. */
export interface PipelineErrorOptions extends ErrorOptions {
  /** What to do about it, one or two sentences for the person on call. */
  hint?: string;
  /** `transient` is retried by the engine where the pipeline says so. Default: `permanent`. */
  retry?: Retry;
  /** Set when the whole run must stop, with this exit code; otherwise only the item fails. Not heard of stages from outside. */
  stopsRun?: ExitCode;
  /** The single findings behind the error. */
  findings?: readonly Finding[];
}

/**
 * An error in words a person at night can act on. `code` is `area/problem`; the message reads
 * `Cannot <verb> "<thing>": <state found>`, then the wanted state if known; no final period.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { PipelineError } from "labferry";
 *
 * const error = new PipelineError("preview/none", `Cannot share "study1": it has no preview, wanted at least one`, {
 *   hint: "Export previews on the instrument",
 * });
 * assert.equal(error.retry, "permanent");
 * ```
 */
export class PipelineError extends Error {
  /** Tells it from other errors across modules. */
  override readonly name = "PipelineError";
  /** `area/problem`, stable: the documentation lists it. */
  readonly code: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Whether trying again may help. */
  readonly retry: Retry;
  /** The exit code, when the whole run must stop. */
  readonly stopsRun?: ExitCode;
  /** The single findings behind it. */
  readonly findings: readonly Finding[];

  /** See the class for the grammar of `message`. */
  constructor(code: string, message: string, options: PipelineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? "permanent";
    this.stopsRun = options.stopsRun;
    this.findings = options.findings ?? [];
  }
}

/**
 * Returns `error` as a `PipelineError`; what is not one becomes `internal/unexpected` with its cause kept.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { asPipelineError } from "labferry";
 *
 * const { code, message } = asPipelineError(new Error("no room"), "read the index");
 * assert.deepEqual([code, message], ["internal/unexpected", "Cannot read the index: no room"]);
 * ```
 */
export function asPipelineError(error: unknown, doing: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new PipelineError("internal/unexpected", `Cannot ${doing}: ${reason}`, {
    cause: error,
    hint: "Nobody expected this: keep the log and report it. Nothing unproved was deleted.",
  });
}
