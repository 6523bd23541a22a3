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
  /** In words. */
  message: string;
  /** Id of the stage it happened in; left out for errors of the run itself. */
  stage?: string;
  /** What to do about it. */
  hint?: string;
  /** The single findings behind it. */
  findings?: Finding[];
}

/** What a stage did for one item. */
export interface StageReport {
  /** Its id. */
  id: string;
  /** Name of its plugin. */
  use: string;
  /** How it ended. */
  outcome: StageOutcome;
  /** Steps done. One step covers one large file, a batch of small ones, or none. */
  applied: number;
  /** Files found done already; a step or skip that covers no files counts as one. Never in `files` or `bytes`. */
  skipped: number;
  /** Files that the done steps covered. */
  files: number;
  /** Their bytes. */
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

/** What became of one item. */
export interface ItemReport {
  /** Its name. */
  name: string;
  /** How it ended. */
  outcome: ItemOutcome;
  /** Why it failed. */
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

/** What a run did. */
export interface RunReport {
  /** Name of the pipeline. */
  pipeline: string;
  /** ULID. */
  run_id: string;
  /** ISO 8601, UTC. */
  started_at: string;
  /** ISO 8601, UTC. */
  finished_at: string;
  /** 0, 1, 2, 3 or 130 (DESIGN 4). */
  exit_code: number;
  /** Whether it only planned. */
  dry_run: boolean;
  /** In the order they ended. */
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
