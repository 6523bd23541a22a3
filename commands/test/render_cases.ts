/** What became of cases, for people and for programs. Pure. @module */
import { count } from "../../cli/format.ts";
import { renderReport } from "../../cli/render_report.ts";
import type { Json } from "../../core/json.ts";
import {
  type Diagnostic,
  diagnosticToJson,
  renderDiagnostics,
  sortDiagnostics,
} from "../../core/pipeline/diagnostic.ts";
import { visibleLine } from "../../core/visible.ts";
import type { CaseFailure, CaseRunResult } from "../../testing/case_run.ts";
import type { LoggedLine } from "../../testing/doubles.ts";

/** A case, and what became of it. */
export interface EndedCase {
  name: string;
  file: string;
  /** Empty where the file could not be read. */
  summary: string;
  diagnostics: readonly Diagnostic[];
  failures: readonly CaseFailure[];
  runs: readonly CaseRunResult[];
  /** The engine's log. */
  log: readonly LoggedLine[];
}

export type Verdict = "ok" | "failed" | "wrong";

/** Returns how a case ended; `wrong`: its file or its pipeline is, and nothing was run. */
export function verdictOf({ diagnostics, failures }: Pick<EndedCase, "diagnostics" | "failures">): Verdict {
  if (diagnostics.length > 0) return "wrong";
  return failures.length > 0 ? "failed" : "ok";
}

/** The exit code of all cases together. */
export function exitCodeOfCases(cases: readonly EndedCase[]): 0 | 1 | 2 {
  const verdicts = cases.map(verdictOf);
  if (verdicts.includes("wrong")) return 2;
  return verdicts.includes("failed") ? 1 : 0;
}

/** Returns a case as text: one line, and what differs from what the case says; with `verbose` the engine's log, too. */
export function renderCase(ended: EndedCase, { verbose = false }: { verbose?: boolean } = {}): string {
  const verdict = verdictOf(ended);
  const lines = [`${verdict.padEnd(6)} ${ended.name}${ended.summary === "" ? "" : `: ${visibleLine(ended.summary)}`}`];
  if (verdict === "wrong") lines.push("", renderDiagnostics(ended.diagnostics), "");
  if (verdict === "failed") {
    for (const failure of ended.failures) lines.push("", ...renderFailure(ended.file, failure));
    for (const [at, { report, crashed }] of ended.runs.entries()) {
      if (crashed) lines.push("", `  run ${at + 1}: the machine stopped, as the case says`);
      else lines.push("", `  run ${at + 1}:`, ...indented(renderReport(report)));
    }
    if (verbose) lines.push("", "  log:", ...ended.log.map((line) => `    ${line.level} ${visibleLine(line.message)}`));
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}

/** Lines that were wanted and not found with `-`, those found and not wanted with `+`, the others between them. */
function renderFailure(file: string, { line, what, wanted, found }: CaseFailure): string[] {
  return [
    `  ${file}:${line}: ${what} (- wanted, + found)`,
    ...shortened(diffLines(wanted, found)).map((text) => `    ${visibleLine(text)}`),
  ];
}

/** How many equal lines are shown beside one that differs. */
const BESIDE = 3;

/** Of long stretches of equal lines only their ends are shown. */
function shortened(lines: readonly string[]): string[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - BESIDE), at + BESIDE + 1).some((line) => !line.startsWith("  "))
  );
  const shown: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (near[at]) {
      shown.push(lines[at]);
      continue;
    }
    const end = near.indexOf(true, at);
    const hidden = (end < 0 ? lines.length : end) - at;
    shown.push(hidden === 1 ? lines[at] : `  … ${hidden} more as wanted`);
    at += hidden - 1;
  }
  return shown;
}

/** The shortest way from one list of lines to the other. */
export function diffLines(wanted: readonly string[], found: readonly string[]): string[] {
  const common = Array.from({ length: wanted.length + 1 }, () => new Uint32Array(found.length + 1));
  for (let a = wanted.length - 1; a >= 0; a--) {
    for (let b = found.length - 1; b >= 0; b--) {
      common[a][b] = wanted[a] === found[b] ? common[a + 1][b + 1] + 1 : Math.max(common[a + 1][b], common[a][b + 1]);
    }
  }
  const lines: string[] = [];
  let a = 0, b = 0;
  while (a < wanted.length || b < found.length) {
    if (a < wanted.length && b < found.length && wanted[a] === found[b]) {
      lines.push(`  ${wanted[a++]}`);
      b++;
    } else if (b >= found.length || (a < wanted.length && common[a + 1][b] >= common[a][b + 1])) {
      lines.push(`- ${wanted[a++]}`);
    } else lines.push(`+ ${found[b++]}`);
  }
  return lines;
}

function indented(text: string): string[] {
  return text.trimEnd().split("\n").map((line) => line === "" ? "" : `    ${line}`);
}

/** Returns the last line: how many cases, and how they ended. */
export function renderTotals(cases: readonly EndedCase[]): string {
  const number = (verdict: Verdict) => cases.filter((one) => verdictOf(one) === verdict).length;
  const parts = number("ok") > 0 ? [`${number("ok")} ok`] : [];
  if (number("failed") > 0) parts.push(`${number("failed")} failed`);
  if (number("wrong") > 0) parts.push(`${number("wrong")} wrong`);
  return `${count(cases.length, "case")}: ${parts.join(", ")}\n`;
}

/** Returns a case for programs. */
export function caseToJson(ended: EndedCase): { [key: string]: Json } {
  const { name, file, summary, diagnostics, failures, runs } = ended;
  return {
    case: name,
    file,
    summary,
    outcome: verdictOf(ended),
    diagnostics: sortDiagnostics(diagnostics).map(diagnosticToJson),
    failures: failures.map(({ line, what, wanted, found }) => ({ line, what, wanted, found })),
    runs: runs.map(({ report, crashed }) => ({ crashed, report: crashed ? null : report as unknown as Json })),
  };
}
