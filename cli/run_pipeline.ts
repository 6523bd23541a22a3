/** Runs a pipeline from the command line: config to report, and the event when it fails. @module */
import { resolve } from "@std/path";
import { PipelineError } from "../core/errors.ts";
import { nearestName } from "../core/pipeline/nearest.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { ProgressSink } from "../core/run/progress.ts";
import type { RunReport } from "../core/run/report.ts";
import type { Arguments, CommandContext } from "./command.ts";
import { eventPipeline, queueFailure } from "./failure_event.ts";
import type { Failure } from "./failure_event.ts";
import { loadProject, readTextIfThere, requirePipeline } from "./project.ts";
import type { Project } from "./project.ts";
import { showProgress } from "./progress_view.ts";
import { exitCodeOf, renderFinding, untoldFindings } from "./render_error.ts";
import { renderReport, reportJson, summaryLine } from "./render_report.ts";
import { withServices } from "./services.ts";

export interface RunOptions {
  dryRun: boolean;
  only?: string;
  /** Repeat work of all stages, or of one. */
  force?: true | string;
}

/** Runs the pipeline `name` with the flags of `run`; prints the report and returns the exit code. */
export async function runCommand(name: string, args: Arguments, context: CommandContext): Promise<number> {
  const { terminal, globals, log } = context;
  const options = toRunOptions(args);
  // A config that cannot be read may ask for mails: its failure is queued, and delivery decides.
  const failures = { wanted: true };
  const report = await withFailureEvent(name, { options, context, failures }, async () => {
    await expectFile(args.value("smtp-env"), context);
    const project = await loadProject(context);
    failures.wanted = project.config.config.notify.enabled;
    const compiled = await requirePipeline(project, name, context);
    using progress = showProgress(context);
    return await execute(compiled, { options, project, context, progress: logged(progress.sink, log) });
  });
  if (args.has("json")) terminal.out(reportJson(report));
  else terminal.out(renderReport(report, { quiet: globals.quiet }));
  logOutcome(report, log);
  return report.exit_code;
}

const STOPPING = "Stopping: the step at work is finished first and the locks are released; interrupt again to stop now";

/** The same progress, told to the log as well: where a run was when it was cut off, for `--verbose`. */
function logged(sink: ProgressSink, log: CommandContext["log"]): ProgressSink {
  return {
    bytes: (item, stage, count) => sink.bytes?.(item, stage, count),
    itemStarted(item) {
      log.debug(`"${item}" is taken up`);
      sink.itemStarted?.(item);
    },
    stageStarted(item, stage, expected) {
      log.debug(`"${item}": stage ${stage} begins`);
      sink.stageStarted?.(item, stage, expected);
    },
    stagePlanned(item, stage, plan) {
      const words = plan.kind === "todo" ? plan.summary : `${plan.kind}: ${plan.why}`;
      log.debug(`"${item}": stage ${stage}: ${words}`);
      sink.stagePlanned?.(item, stage, plan);
    },
    stageFinished(item, stage, outcome) {
      log.debug(`"${item}": stage ${stage} is ${outcome}`);
      sink.stageFinished?.(item, stage, outcome);
    },
    itemFinished: (item, outcome) => sink.itemFinished?.(item, outcome),
  };
}

/** Runs a compiled pipeline on this machine. */
export async function execute(
  compiled: CompiledPipeline,
  run: { options: RunOptions; project: Project; context: CommandContext; progress?: ProgressSink },
): Promise<RunReport> {
  const { options, project, context, progress } = run;
  const { terminal, locations } = context;
  expectStage(options.force, compiled);
  using interrupts = terminal.interrupts();
  interrupts.stop.addEventListener("abort", () => context.log.warn(STOPPING), { once: true });
  return await withServices(project.registry, { dryRun: options.dryRun, context }, (services) =>
    runPipeline({
      compiled,
      config: project.config.view,
      stateDir: locations.stateDir,
      dryRun: options.dryRun,
      only: options.only,
      force: options.force,
      stop: interrupts.stop,
      abort: interrupts.abort,
      progress,
    }, services));
}

function toRunOptions(args: Arguments): RunOptions {
  const force = args.value("force");
  return {
    dryRun: args.has("dry-run"),
    only: args.value("only"),
    force: force === undefined ? undefined : force === "" ? true : force,
  };
}

function expectStage(force: RunOptions["force"], compiled: CompiledPipeline): void {
  const ids = compiled.stages.map((stage) => stage.id);
  if (typeof force !== "string" || ids.includes(force)) return;
  const nearest = nearestName(force, ids);
  throw new PipelineError("cli/no-stage", `Cannot force "${force}": pipeline "${compiled.name}" has no such stage`, {
    stopsRun: 2,
    hint: nearest === undefined ? `its stages are ${ids.join(", ")}` : `did you mean "${nearest}"`,
  });
}

async function expectFile(path: string | undefined, { terminal }: CommandContext): Promise<void> {
  if (path === undefined || await readTextIfThere(resolve(terminal.cwd, path), "credentials") !== undefined) return;
  throw new PipelineError("cli/no-path", `Cannot use --smtp-env "${path}": the file does not exist`, { stopsRun: 2 });
}

/**
 * Every end of a pipeline with a code other than 0 is an event where notify is enabled, also when the config could not
 * be read. A failure to queue it is logged and changes nothing else (SAFETY S19); a dry run queues nothing (S17).
 */
async function withFailureEvent(
  name: string,
  { options, context, failures }: { options: RunOptions; context: CommandContext; failures: { wanted: boolean } },
  work: () => Promise<RunReport>,
): Promise<RunReport> {
  const queue = async (pipeline: string, failure: Failure) => {
    if (options.dryRun || !failures.wanted) return;
    const { locations, log, terminal } = context;
    await queueFailure(pipeline, failure, { journalFile: locations.journalFile, terminal, log });
  };
  try {
    const report = await work();
    const { error } = report;
    const failed = report.items.filter((item) => item.outcome === "failed").map((item) => item.name);
    const message = error?.message ?? `${failed.length} items failed: ${failed.slice(0, 20).join(", ")}`;
    if (report.exit_code !== 0) {
      const code = error?.code ?? "run/items-failed";
      await queue(report.pipeline, { exitCode: report.exit_code, code, message });
    }
    return report;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof PipelineError ? error.code : "internal/unexpected";
    await queue(eventPipeline(name), { exitCode: exitCodeOf(error), code, message });
    throw error;
  }
}

/** How many findings of an item the log tells one by one; the report has all of them. */
const FINDINGS_TOLD = 50;

/**
 * The log tells what to do about each failure, so that the log file of a scheduled task is enough. The failure itself
 * was logged by the engine when it happened.
 */
function logOutcome(report: RunReport, log: CommandContext["log"]): void {
  for (const { name, outcome, error, why } of report.items) {
    if (outcome !== "failed") {
      log.debug(`"${name}" is ${outcome}`, { why });
      continue;
    }
    // What the message names stands in the log already.
    const findings = untoldFindings(error?.message ?? "", error?.findings);
    for (const finding of findings.slice(0, FINDINGS_TOLD)) log.error(`${name}: ${renderFinding(finding)}`);
    if (findings.length > FINDINGS_TOLD) log.error(`${name}: ${findings.length - FINDINGS_TOLD} more findings`);
    if (error?.hint !== undefined) log.info(`${name}: what to do: ${error.hint}`);
  }
  if (report.error !== undefined) {
    log.error(report.error.message, { code: report.error.code });
    if (report.error.hint !== undefined) log.error(`what to do: ${report.error.hint}`);
  }
  log.info(summaryLine(report));
}
