/** Errors in words for the person on call. Pure. @module */
import { PipelineError } from "../core/errors.ts";
import { DiagnosticsError } from "../core/pipeline/diagnostic.ts";
import type { Finding } from "../core/errors.ts";
import { visibleLine } from "../core/visible.ts";
import { isInterruption } from "./interruption.ts";

/** Areas of error codes that mean: the configuration or the command line is wrong, nothing was tried. */
const CONFIGURATION = new Set([
  "cli",
  "config",
  "lint",
  "options",
  "pipeline",
  "plugins",
  "preset",
  "registry",
  "safety",
  "template",
  "toml",
]);

/** Returns the exit code of an error that ended a command, or a pipeline (DESIGN 4): a monitor that crashed ends with 1. */
export function exitCodeOf(error: unknown, pipeline?: string): 1 | 2 | 3 | 130 {
  const code = codeOf(error);
  return code === 3 && pipeline === "monitor" ? 1 : code;
}

function codeOf(error: unknown): 1 | 2 | 3 | 130 {
  if (isInterruption(error)) return 130;
  if (!(error instanceof PipelineError)) return 3;
  if (error.stopsRun !== undefined) return error.stopsRun;
  const [area] = error.code.split("/");
  if (area === "internal") return 3;
  return CONFIGURATION.has(area) ? 2 : 1;
}

/**
 * Returns an error as lines: code and message, each finding, the hint; with `verbose` the chain of causes and where it
 * was thrown. What is no `PipelineError` is a fault of labferry and always shows where; `outside` names code that is not
 * labferry's and may have done it.
 */
export function renderError(error: unknown, options: { verbose?: boolean; outside?: string } = {}): string {
  if (isInterruption(error)) return "interrupted: what was finished is kept; run again to go on\n";
  const lines: string[] = [];
  if (error instanceof DiagnosticsError) {
    // Each brings its position, code, caret and hint.
    lines.push(error.message);
  } else if (error instanceof PipelineError) {
    lines.push(`error: ${error.message} [${error.code}]`);
    lines.push(...error.findings.map((finding) => `  ${renderFinding(finding)}`));
    if (error.hint !== undefined) lines.push(...indent(error.hint, "hint: "));
  } else {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    lines.push(`error: Cannot go on: ${message} [internal/unexpected]`);
    if (options.outside === undefined) {
      lines.push("hint: this is a fault of labferry; please report it with the log");
    }
  }
  if (options.outside !== undefined) {
    lines.push(
      `hint: most likely this was code from outside: ${options.outside}`,
      "      It must wait for all it begins (await), catch what that throws, and await nothing that never ends (timeout)",
      "      Take it out of the pipeline or tell its author; if it goes wrong without it, report it with the log",
    );
  }
  if (options.verbose || !(error instanceof PipelineError)) lines.push(...causes(error));
  return `${lines.join("\n")}\n`;
}

/** The findings that a message does not tell already. */
export function untoldFindings(message: string, findings: readonly Finding[] = []): Finding[] {
  return findings.filter((finding) => !(message.includes(finding.message) && message.includes(finding.path)));
}

/** Returns a finding on one line: `R6  x.xpd: message`. */
export function renderFinding({ rule, severity, path, message }: Finding): string {
  const label = severity === "warning" ? `${rule} (warning)` : rule;
  return visibleLine(`${label}  ${path === "" || message.includes(`"${path}"`) ? message : `${path}: ${message}`}`);
}

function causes(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let at = error; at !== undefined && at !== null && !seen.has(at);) {
    seen.add(at);
    if (at instanceof Error) {
      if (at !== error) lines.push(`caused by: ${at.name}: ${at.message}`);
      const where = (at.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 6);
      lines.push(...where.map((line) => `  ${line.trim()}`));
      at = at.cause;
    } else {
      lines.push(`caused by: ${String(at)}`);
      break;
    }
  }
  return lines;
}

function indent(text: string, label: string): string[] {
  return text.split("\n").map((line, at) => `${at === 0 ? label : " ".repeat(label.length)}${line}`);
}
