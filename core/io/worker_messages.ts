/**
 * What the main thread and the file workers tell each other.
 * @module
 */
import type { LargeJob, LargeResult, SmallFailure } from "./file_system.ts";
import type { PackedAnswer, PackedJob } from "./packed_jobs.ts";

export type ToWorker =
  | { id: number; small: PackedJob }
  | { id: number; large: LargeJob }
  | { id: number; stop: true };

export type FromWorker =
  | { id: number; small: PackedAnswer }
  | { id: number; large: LargeResult }
  | { id: number; bytes: number }
  | { id: number; stopped: true }
  /** A `PipelineError` or a system error, as plain data. */
  | { id: number; failed: SmallFailure & { errno?: string } };
