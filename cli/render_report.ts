/** The run report for people and for programs. Pure. @module */
import type { ItemReport, ReportError, RunReport, StageReport } from "../core/run/report.ts";
import { visibleLine } from "../core/visible.ts";
import { columns, count, formatBytes, formatSpan } from "./format.ts";
import { renderFinding } from "./render_error.ts";

/** Returns the report as JSON, one object, ending in a newline. */
export function reportJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

export interface RenderReportOptions {
  /** Only what went wrong. */
  quiet?: boolean;
}

/** Returns the report as text: each item with a table of its stages, then a line for the run. */
export function renderReport(report: RunReport, options: RenderReportOptions = {}): string {
  const shown = options.quiet ? report.items.filter((item) => item.outcome === "failed") : report.items;
  const lines = shown.flatMap((item) => [...itemLines(item, report.dry_run), ""]);
  if (report.error !== undefined) lines.push(...errorLines(report.error), "");
  if (!options.quiet || lines.length > 0) lines.push(summaryLine(report));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** Returns one of many items on one line, what became of it and by how many steps, and below what went wrong. */
export function renderItem(item: ItemReport, { dryRun }: { dryRun: boolean }): string {
  const last = item.stages.findLast(({ applied }) => applied > 0);
  const steps = item.outcome !== "done" || last === undefined ? "" : ` (${last.id}: ${count(last.applied, "step")})`;
  const lines = [`${headLine(item, dryRun)}${steps}`];
  if (item.error !== undefined) lines.push(...errorLines(item.error).map((line) => `  ${line}`));
  return `${lines.join("\n")}\n`;
}

/** Returns the run on one line: what became of how many items, how long, which exit code. */
export function summaryLine(report: RunReport): string {
  const counts = new Map<string, number>(Object.entries(report.counts ?? {}));
  for (const { outcome } of report.items) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const outcomes = counts.size === 0
    ? "no item was taken up"
    : [...counts].map(([outcome, number]) => `${number} ${outcomeWord(outcome, report.dry_run)}`)
      .join(", ");
  const ms = Date.parse(report.finished_at) - Date.parse(report.started_at);
  const dry = report.dry_run ? " (dry run, nothing was changed)" : "";
  return `${report.pipeline}: ${outcomes} in ${
    formatSpan(ms)
  }, exit code ${report.exit_code}${dry}  [${report.run_id}]`;
}

/** What a dry run calls done was only planned. */
function outcomeWord(outcome: string, dryRun: boolean): string {
  return dryRun && outcome === "done" ? "planned" : outcome;
}

function headLine({ outcome, name, why, note }: ItemReport, dryRun: boolean): string {
  const head = `${outcomeWord(outcome, dryRun).padEnd(9)} ${visibleLine(name)}`;
  return `${head}${why === undefined ? "" : `: ${why}`}${note === undefined ? "" : ` (${note})`}`;
}

function itemLines(item: ItemReport, dryRun: boolean): string[] {
  const lines = [headLine(item, dryRun)];
  const table = item.stages.filter((stage) => stage.outcome !== "not-reached");
  if (table.length > 0) {
    const header = ["STAGE", "OUTCOME", "STEPS", "FILES", "SIZE", "TIME", "GUARANTEE", "WHY"];
    lines.push(
      ...columns([header, ...table.map((stage) => stageRow(stage, dryRun))], [2, 3, 4, 5]).map((line) => `  ${line}`),
    );
  }
  const missed = item.stages.length - table.length;
  if (missed > 0) lines.push(`  ${count(missed, "stage")} not reached`);
  if (item.error !== undefined) lines.push(...errorLines(item.error).map((line) => `  ${line}`));
  return lines;
}

function stageRow(stage: StageReport, dryRun: boolean): string[] {
  const steps = stage.skipped === 0 ? `${stage.applied}` : `${stage.applied} + ${stage.skipped} skipped`;
  return [
    stage.id === stage.use ? stage.id : `${stage.id} (${stage.use})`,
    outcomeWord(stage.outcome, dryRun),
    steps,
    `${stage.files}`,
    formatBytes(stage.bytes),
    formatSpan(stage.ms),
    stage.guarantee ?? "",
    stage.why ?? "",
  ];
}

function errorLines(error: ReportError): string[] {
  const where = error.stage === undefined || error.stage === "" ? "" : ` in stage ${error.stage}`;
  return [
    // One line, whatever a name in it holds: it must not be able to make a line of its own.
    `error${where}: ${visibleLine(error.message)} [${error.code}]`,
    ...(error.findings ?? []).map((finding) => `  ${renderFinding(finding)}`),
    ...error.hint === undefined ? [] : [`hint: ${error.hint}`],
  ];
}
