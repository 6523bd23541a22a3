/** The run report (DESIGN 5): what a run did, item by item and stage by stage. Others read it as JSON. @module */
import type { ItemOutcome } from "../contract.ts";
import type { Finding, PipelineError } from "../errors.ts";
import type { Guarantee } from "../evidence.ts";

/** What became of a stage for one item. */
export type StageOutcome = "done" | "skipped" | "failed" | "dropped" | "waiting" | "not-reached";

/** An error as the report carries it. */
export interface ReportError {
  /** `area/problem`. */
  code: string;
  message: string;
  /** Id of the stage it happened in; left out for errors of the run itself. */
  stage?: string;
  hint?: string;
  findings?: Finding[];
}

export interface StageReport {
  id: string;
  use: string;
  outcome: StageOutcome;
  /** Steps done. One step covers one large file, a batch of small ones, or none. */
  applied: number;
  /** Files found done already; a step or skip that covers no files counts as one. Never in `files` or `bytes`. */
  skipped: number;
  /** Files and bytes that the done steps covered. */
  files: number;
  bytes: number;
  /** Wall-clock time, ms. */
  ms: number;
  /** The weakest guarantee at the place this stage writes or proves. */
  guarantee?: Guarantee;
  /** Why it was skipped, dropped, or waits. */
  why?: string;
  /** Of one that waits: from when on another run may find it ready (ISO 8601, UTC), as its stage says. */
  until?: string;
}

export interface ItemReport {
  name: string;
  outcome: ItemOutcome;
  error?: ReportError;
  /** What its source says of it. */
  note?: string;
  /** Why it was dropped or waits. */
  why?: string;
  /** As in its stage. */
  until?: string;
  /** In topological order. */
  stages: StageReport[];
}

export interface RunReport {
  pipeline: string;
  run_id: string;
  /** ISO 8601, UTC. */
  started_at: string;
  finished_at: string;
  /** 0, 1, 2, 3 or 130 (DESIGN 4). */
  exit_code: number;
  dry_run: boolean;
  items: ItemReport[];
  /** Of an endless run, which keeps no items: how many ended how. */
  counts?: { [outcome in ItemOutcome]?: number };
  /** What stopped the run as a whole; in a dry run also what would stop a real one, although it planned on. */
  error?: ReportError;
}

/** Returns an error as the report carries it. */
export function toReportError(error: PipelineError, stage?: string): ReportError {
  const { code, message, hint, findings } = error;
  return {
    code,
    message,
    ...stage === undefined ? {} : { stage },
    ...hint === undefined ? {} : { hint },
    ...findings.length === 0 ? {} : { findings: [...findings] },
  };
}
