/** The event of a pipeline that ended with a code other than 0. @module */
import type { Json } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { ReportError, RunReport } from "../core/run/report.ts";
import type { CommandContext } from "./command.ts";
import { eventPipeline, queueFailure } from "./failure_event.ts";
import { count } from "./format.ts";
import { isInterruption } from "./interruption.ts";
import { exitCodeOf, renderFinding, untoldFindings } from "./render_error.ts";

/** How many failed items an event names. */
const ITEMS_TOLD = 50;
/** How many findings of an item it names. */
const FINDINGS_TOLD = 20;

const STOPPED = "run/stopped";
const INTERRUPTED = "The run was asked to stop";

export interface FailureOptions {
  dryRun: boolean;
  context: CommandContext;
  /** Whether people are to be told. */
  isWanted(): Promise<boolean>;
}

/** How long (ms) the event of a run that was cut off waits for a journal that another process writes to. */
const CUT_OFF_BUSY_MS = 500;

/** What a run tells of its own end where it does not come to it. */
export interface CutOff {
  /** Queues the event of a run that is ended over its work: nothing that would tell of it comes any more. */
  cutOff(): Promise<void>;
}

/**
 * Every end of a pipeline with a code other than 0 is an event where people are to be told, also when the config could
 * not be read. A failure to queue it is logged and changes nothing else (SAFETY S19); a dry run queues nothing (S17).
 */
export async function withFailureEvent(
  name: string,
  options: FailureOptions,
  work: (run: CutOff) => Promise<RunReport>,
): Promise<RunReport> {
  const startedAt = new Date(options.context.terminal.now()).toISOString();
  const cutOff = () => {
    const data = {
      code: "run/stopped",
      message: CUT_OFF,
      hint: "Run again: it goes on with it.",
      started_at: startedAt,
    };
    return queue(eventPipeline(name), { exitCode: 130, data }, { ...options, busyMs: CUT_OFF_BUSY_MS });
  };
  try {
    const report = await work({ cutOff });
    if (report.exit_code !== 0) {
      const event = { exitCode: report.exit_code, data: ofReport(report) };
      await queue(report.pipeline, event, options);
    }
    return report;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { code, hint } = error instanceof PipelineError
      ? error
      : { code: isInterruption(error) ? STOPPED : "internal/unexpected", hint: undefined };
    const data = { code, message, ...hint === undefined ? {} : { hint }, started_at: startedAt };
    const pipeline = eventPipeline(name);
    await queue(pipeline, { exitCode: exitCodeOf(error, pipeline), data }, options);
    throw error;
  }
}

const CUT_OFF =
  "Cannot finish the run: it was interrupted, did not end, and was ended; what it was at is left as it is";

type FailureData = { code: string; message: string; [key: string]: Json };

function ofReport({ error, items, run_id, started_at, exit_code }: RunReport): FailureData {
  const failed = items.filter((item) => item.outcome === "failed");
  const { code, message } = error ?? whyEnded(failed.map((item) => item.name), exit_code);
  return {
    code,
    message,
    ...error?.hint === undefined ? {} : { hint: error.hint },
    run_id,
    started_at,
    items: failed.slice(0, ITEMS_TOLD).map(({ name, error }) => ({
      name,
      stage: error?.stage ?? "",
      code: error?.code ?? "",
      message: error?.message ?? "",
      ...findingsOf(error),
      ...error?.hint === undefined ? {} : { hint: error.hint },
    })),
  };
}

/** Of a run that no error ended. */
function whyEnded(failed: readonly string[], exitCode: number): { code: string; message: string } {
  const names = `${count(failed.length, "item")} failed: ${failed.slice(0, 20).join(", ")}`;
  if (exitCode !== 130) return { code: "run/items-failed", message: names };
  return { code: STOPPED, message: failed.length === 0 ? INTERRUPTED : `${INTERRUPTED}; ${names}` };
}

/** What the message of an item does not tell. */
function findingsOf(error: ReportError | undefined): { findings?: string[] } {
  const untold = untoldFindings(error?.message ?? "", error?.findings);
  const findings = untold.slice(0, FINDINGS_TOLD).map(renderFinding);
  if (untold.length > FINDINGS_TOLD) findings.push(count(untold.length - FINDINGS_TOLD, "more finding"));
  return findings.length === 0 ? {} : { findings };
}

async function queue(
  pipeline: string,
  { exitCode, data: { code, message, ...more } }: { exitCode: number; data: FailureData },
  { dryRun, context, isWanted, busyMs }: FailureOptions & { busyMs?: number },
): Promise<void> {
  const { locations, log, logs, terminal } = context;
  // A run that only ended because the process broke knows less than whoever tells of that.
  if (dryRun || terminal.broken?.aborted || !await isWanted()) return;
  const to = { locations, terminal, log, scrubber: logs.scrubber, busyMs };
  await queueFailure(pipeline, { exitCode, code, message, more }, to);
}
