/**
 * Stages from outside: what is known of where they come from, and what is wrong with a file that is none.
 * @module
 */
import type { AnyStage } from "../contract.ts";
import { type Finding, PipelineError } from "../errors.ts";
import { diagnose, DiagnosticsError, type Where } from "../pipeline/diagnostic.ts";

/** Where a stage from outside comes from, and what the config vouches for. */
export interface ExternalOrigin {
  /** OS path of its file, as the config or the folder names it. */
  file: string;
  /** SHA-256 of the bytes that were loaded, lower-case hex. */
  sha256: string;
  /** Whether the config pins the file: nothing but these bytes is ever loaded. */
  pinned: boolean;
  /** Of a pinned file: places its code writes to by itself, beside what ports do for it. */
  touches?: readonly string[];
}

/** A stage from outside. */
export interface ExternalStage {
  plugin: AnyStage;
  origin: ExternalOrigin;
}

/** A file that is to be loaded. */
export interface ExternalFile {
  path: string;
  /** The pin, lower-case hex. */
  sha256?: string;
  touches?: readonly string[];
  /** Where the config names it; absent for a file of the folder. */
  at?: Where;
}

/** Words for what is wrong with a file. */
export interface FileFault {
  /** `plugins/…` */
  code: string;
  message: string;
  hint: string;
  cause?: unknown;
}

/** A file that gives no stage, and why. */
export interface BrokenFile extends FileFault {
  file: string;
  at?: Where;
}

/** Whether the config vouches for all the code may do: what is loaded, and what it touches. */
export function isVouchedFor(origin: ExternalOrigin): boolean {
  return origin.pinned && origin.touches !== undefined;
}

/**
 * Returns the error for files that give no stage, exit code 2: where the config names them, with the line; otherwise the
 * first as the error and the rest as its findings.
 */
export function brokenError(broken: readonly BrokenFile[]): PipelineError {
  const [first, ...rest] = broken;
  const placed = broken.flatMap(({ at, code, message, hint }) => at ? [diagnose(at, { code, message, hint })] : []);
  if (placed.length === broken.length) return new DiagnosticsError(placed);
  const findings = rest.map(({ code, file, message, hint }): Finding => ({
    rule: code,
    severity: "error",
    path: file,
    message: `${message}; ${hint}`,
  }));
  const { code, message, hint, cause } = first;
  return new PipelineError(code, message, { hint, cause, findings, stopsRun: 2 });
}
