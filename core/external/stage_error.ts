/**
 * What code from outside threw, as an error that the engine can rely on: a copy of which each part was read once and is
 * of its type. Reports, logs and exit codes are made of it (SAFETY S19).
 * @module
 */
import { type Finding, PipelineError } from "../errors.ts";
import { asKnownError, errnoOf } from "../io/io_errors.ts";
import { type Field, fieldFaults, list, oneOf, optional, shown, text } from "./field.ts";
import type { EngineErrors } from "./noted_context.ts";

/** Who threw, and at what. */
export interface Thrower {
  stage: string;
  file: string;
  /** Completes `Cannot … stage`. */
  doing: string;
  /** It was asked what it is, by whoever reads a pipeline: lint explains every code that it reports. */
  isDescribed?: true;
  /** What the engine told it to end with. */
  signal?: AbortSignal;
  /** What the engine itself threw at the stage. */
  engine?: EngineErrors;
}

const CODE = /^[a-z][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)+$/;
/** By these the engine tells how a run ends: whether a clock was wrong, whether anybody did anything wrong. */
const OF_THE_ENGINE = /^(run|internal|plugins|destroy)\/|^s3\/clock-skew$/;

const ERROR: Record<"code" | "message" | "hint" | "retry" | "findings", Field> = {
  code: {
    wanted: "a code of its own: an area, a slash and a problem, in lower case",
    is: (value) => typeof value === "string" && CODE.test(value) && !OF_THE_ENGINE.test(value),
  },
  message: text,
  hint: optional(text),
  retry: oneOf("transient", "permanent"),
  findings: list,
};

const FINDING: Record<keyof Finding, Field> = {
  rule: text,
  severity: oneOf("error", "warning"),
  path: { wanted: "a text", is: (value) => typeof value === "string" },
  message: text,
};

/** How far causes are followed. */
const MOST_CAUSES = 8;

/**
 * The error in words that name the file. What the engine threw itself is given back as the engine threw it, and so is
 * its reason to end; of a stage's own words none stops a run or says how it ended.
 */
export function stageError(thrown: unknown, by: Thrower): unknown {
  const { signal, engine } = by;
  if (signal?.aborted && (thrown === signal.reason || read(() => isAbort(thrown)))) return signal.reason;
  const own = engine?.asThrown(thrown);
  // Of what the stage asked for wrongly, its author is to hear.
  if (own) return own.code.startsWith("stage/") ? namingFile(own, by) : own;
  // What went wrong first is what counts, not that something could not be put away afterwards.
  const first = read(() => thrown instanceof SuppressedError ? { error: thrown.suppressed } : undefined);
  if (first) return stageError(first.error, by);
  const copy = copyOf(thrown, signal?.reason);
  const isWords = read(() => thrown instanceof PipelineError) === true;
  if (by.isDescribed) return failed(by, saidBy(thrown, copy), copy);
  if (isWords) return wordsOf(thrown as PipelineError, { copy, by });
  if (errnoOf(copy) !== undefined) return asKnownError(copy, ofFile(by));
  return failed(by, saidBy(thrown, copy), copy);
}

/** A sound `PipelineError` as it was thrown, `stopsRun` included; undefined for what is none. For the engine's own. */
export function soundCopy(thrown: unknown): PipelineError | undefined {
  if (read(() => thrown instanceof PipelineError) !== true) return undefined;
  const parts = partsOf(thrown as PipelineError);
  if (typeof parts.code !== "string" || !CODE.test(parts.code)) return undefined;
  if (faultsOf(parts, { ...ERROR, code: text }).length > 0) return undefined;
  const { code, message, hint, retry, findings } = parts as unknown as PipelineError;
  const stopsRun = read(() => (thrown as PipelineError).stopsRun);
  const cause = read(() => (thrown as PipelineError).cause);
  return new PipelineError(code, message, {
    hint,
    retry,
    findings,
    cause,
    stopsRun: stopsRun === 1 || stopsRun === 2 || stopsRun === 3 ? stopsRun : undefined,
  });
}

function namingFile(own: PipelineError, { stage, file }: Thrower): PipelineError {
  const { code, message, hint, retry, findings, cause, stopsRun } = own;
  const words = `${message} (stage "${stage}" of "${file}")`;
  return new PipelineError(code, words, { hint, retry, findings, cause, stopsRun });
}

function wordsOf(thrown: PipelineError, { copy, by }: { copy: unknown; by: Thrower }): PipelineError {
  const parts = partsOf(thrown);
  const faults = faultsOf(parts);
  const { code, message, hint, retry, findings } = parts as unknown as PipelineError;
  if (faults.length === 0) {
    const cause = (copy as Error).cause ?? copy;
    const words = `${message} (said by stage "${by.stage}" of "${by.file}")`;
    return new PipelineError(code, words, { hint, retry, findings, cause });
  }
  const said = text.is(message) ? message : "it threw an error without words";
  return failed(by, `${said}; the error it threw is not sound: ${faults.join("; ")}`, copy);
}

/** Each part, read once. */
function partsOf(error: PipelineError): Record<keyof typeof ERROR, unknown> {
  const [code, message, hint, retry] = [
    read(() => error.code),
    read(() => error.message),
    read(() => error.hint),
    read(() => error.retry),
  ];
  const given = read(() => error.findings);
  const findings = read(() => Array.isArray(given) ? Array.from(given, plain) : given);
  return { code, message, hint, retry, findings };
}

function plain(finding: unknown): unknown {
  return typeof finding === "object" && finding !== null ? { ...finding } : finding;
}

function faultsOf(parts: Record<keyof typeof ERROR, unknown>, fields = ERROR): string[] {
  const faults = fieldFaults(parts, fields);
  if (!Array.isArray(parts.findings)) return faults;
  for (const [i, finding] of parts.findings.entries()) {
    const found = typeof finding === "object" && finding !== null
      ? fieldFaults(finding, FINDING)
      : [`found ${shown(finding)}, wanted { rule, severity, path, message }`];
    // More would be the same mistake.
    if (found.length > 0) return [...faults, ...found.map((fault) => `"findings[${i}]": ${fault}`)];
  }
  return faults;
}

function failed(by: Thrower, said: string, cause: unknown): PipelineError {
  return new PipelineError("plugins/stage-failed", `Cannot ${ofFile(by)}: ${said}`, {
    cause,
    hint: "This is a mistake in that file, or something it does not foresee; --verbose shows where",
  });
}

function ofFile({ doing, stage, file }: Thrower): string {
  return `${doing} stage "${stage}" of "${file}"`;
}

function saidBy(thrown: unknown, copy: unknown): string {
  if (copy instanceof Error) return `${copy.name}: ${copy.message}`;
  return read(() => shown(thrown)) ?? "what it threw cannot be read";
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
}

/** An error of plain texts, its causes too: whatever reads it finds what it relies on. `reason` stays itself. */
export function copyOf(thrown: unknown, reason?: unknown, left = MOST_CAUSES): unknown {
  if (thrown !== undefined && thrown === reason) return reason;
  if (typeof thrown !== "object" || thrown === null) return thrown;
  if (read(() => thrown instanceof Error) !== true) return read(() => shown(thrown)) ?? "what cannot be read";
  const error = thrown as Error & { code?: unknown };
  const copy = new Error(textOr(read(() => error.message), ""));
  Object.defineProperty(copy, "name", { value: textOr(read(() => error.name), "Error") });
  copy.stack = textOr(read(() => error.stack), "");
  // That of a `PipelineError` was read before.
  const code = read(() => error instanceof PipelineError ? undefined : error.code);
  if (typeof code === "string") Object.assign(copy, { code });
  const cause = left > 0 ? read(() => error.cause) : undefined;
  if (cause !== undefined) copy.cause = copyOf(cause, reason, left - 1);
  return copy;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** What looking at it gives; undefined where that throws: whatever a stage throws is its own. */
function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
