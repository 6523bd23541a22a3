/** `plan PIPELINE`: a dry run that shows every step. @module */
import type { Command } from "../cli/command.ts";
import { count, formatBytes } from "../cli/format.ts";
import { loadProject, requirePipeline } from "../cli/project.ts";
import { renderReport } from "../cli/render_report.ts";
import { execute, itemNamed } from "../cli/run_pipeline.ts";
import type { Plan } from "../core/contract.ts";
import { visibleLine } from "../core/visible.ts";
import type { ProgressSink } from "../core/run/progress.ts";

/** A step of the plan, as `--json` prints it. */
interface PlannedStep {
  item: string;
  stage: string;
  kind: Plan["kind"];
  summary?: string;
  why?: string;
  files?: number;
  bytes?: number;
}

export const run: Command = async (args, context) => {
  const { terminal, globals, logs } = context;
  const project = await loadProject(context);
  const compiled = await requirePipeline(project, args.at("PIPELINE"), context);
  const json = args.has("json");
  const steps: PlannedStep[] = [];
  let heading = "";
  const show = (step: PlannedStep) => {
    if (json) return void steps.push(step);
    if (heading !== step.item) terminal.out(`${logs.scrubber.text(visibleLine(step.item))}\n`);
    heading = step.item;
    terminal.out(`  ${logs.scrubber.text(stepLine(step))}\n`);
  };
  const progress: ProgressSink = { stagePlanned: (item, stage, plan) => show(toStep(item, stage, plan)) };
  const options = { dryRun: true, only: itemNamed(args) };
  const report = await execute(compiled, { options, project, context, progress });
  if (json) terminal.out(`${JSON.stringify({ ...report, steps }, null, 2)}\n`);
  else terminal.out(`${heading === "" ? "" : "\n"}${renderReport(report, { quiet: globals.quiet })}`);
  return report.exit_code;
};

function toStep(item: string, stage: string, plan: Plan): PlannedStep {
  const step: PlannedStep = { item, stage, kind: plan.kind };
  if (plan.kind === "todo") step.summary = plan.summary;
  else step.why = plan.why;
  const files = plan.kind === "todo"
    ? plan.files?.filter((file) => !file.emptyFolder).length
    : plan.kind === "skip"
    ? plan.files
    : undefined;
  if (files !== undefined) step.files = files;
  if ((plan.kind === "todo" || plan.kind === "skip") && plan.bytes !== undefined) step.bytes = plan.bytes;
  return step;
}

function stepLine({ stage, kind, summary, why, files, bytes }: PlannedStep): string {
  const size = bytes === undefined
    ? ""
    : ` (${files === undefined ? "" : `${count(files, "file")}, `}${formatBytes(bytes)})`;
  return `${stage.padEnd(16)} ${kind === "todo" ? `${summary}${size}` : `${kind}: ${why}${size}`}`;
}
