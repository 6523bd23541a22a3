/** The event of a pipeline that ended with a code other than 0. @module */
import type { Json } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { emitEvent, eventsForExit, isEventName } from "../core/events/events.ts";
import { openJournal } from "../core/journal/sqlite.ts";
import type { RunReport } from "../core/run/report.ts";
import type { CommandContext } from "./command.ts";
import { makeStateDir } from "./project.ts";
import { exitCodeOf } from "./render_error.ts";

/** How many failed items an event names. */
const ITEMS_TOLD = 50;

export interface FailureOptions {
  dryRun: boolean;
  context: CommandContext;
  /** Whether events are queued; a config that cannot be read may ask for mails, and delivery decides. */
  failures: { wanted: boolean };
}

/**
 * Every end of a pipeline with a code other than 0 is an event where people are to be told, also when the config could
 * not be read. A failure to queue it is logged and changes nothing else (SAFETY S19); a dry run queues nothing (S17).
 */
export async function withFailureEvent(
  name: string,
  options: FailureOptions,
  work: () => Promise<RunReport>,
): Promise<RunReport> {
  const startedAt = new Date(options.context.terminal.now()).toISOString();
  try {
    const report = await work();
    if (report.exit_code !== 0) {
      await queue(report.pipeline, { exitCode: report.exit_code, data: ofReport(report) }, options);
    }
    return report;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { code, hint } = error instanceof PipelineError ? error : { code: "internal/unexpected", hint: undefined };
    const data = { code, message, ...hint === undefined ? {} : { hint }, started_at: startedAt };
    await queue(/^[a-z0-9-]+$/.test(name) ? name : "pipeline", { exitCode: exitCodeOf(error), data }, options);
    throw error;
  }
}

function ofReport({ error, items, run_id, started_at }: RunReport): { [key: string]: Json } {
  const failed = items.filter((item) => item.outcome === "failed");
  const names = failed.map((item) => item.name);
  return {
    code: error?.code ?? "run/items-failed",
    message: error?.message ?? `${failed.length} items failed: ${names.slice(0, 20).join(", ")}`,
    ...error?.hint === undefined ? {} : { hint: error.hint },
    run_id,
    started_at,
    items: failed.slice(0, ITEMS_TOLD).map(({ name, error }) => ({
      name,
      stage: error?.stage ?? "",
      code: error?.code ?? "",
      message: error?.message ?? "",
      ...error?.hint === undefined ? {} : { hint: error.hint },
    })),
  };
}

async function queue(
  pipeline: string,
  { exitCode, data }: { exitCode: number; data: { [key: string]: Json } },
  { dryRun, context, failures }: FailureOptions,
): Promise<void> {
  if (dryRun || !failures.wanted) return;
  const { locations, log, logs, terminal } = context;
  try {
    await makeStateDir(locations.journalFile);
    await using journal = await openJournal(locations.journalFile);
    for (const event of eventsForExit(pipeline, exitCode).filter(isEventName)) {
      const details = logs.scrubber.value({ ...data, pipeline, exit_code: exitCode, host: terminal.host }) as Json;
      const id = await emitEvent(journal.outbox, { event, at: terminal.now(), data: details }, { enabled: true });
      log.debug(`event ${event} is queued`, { id });
    }
  } catch (error) {
    log.error(`The event of the failed run cannot be queued: ${error instanceof Error ? error.message : error}`);
  }
}
