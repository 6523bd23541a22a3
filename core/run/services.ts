/** What the engine is given: the world it acts on, and what it is asked to do. @module */
import type { ConfigView, Secrets } from "../contract.ts";
import type { FileSystem } from "../io/file_system.ts";
import type { Journal } from "../journal/journal.ts";
import type { CompiledPipeline } from "../pipeline/compile.ts";
import type { Clock, ExecOptions, Logger } from "../ports.ts";
import type { Registry } from "../registry.ts";
import type { ProcessLiveness } from "../io/process_info.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ProgressSink } from "./progress.ts";
import type { ItemReport } from "./report.ts";

export interface EngineServices {
  fs: FileSystem;
  clock: Clock;
  log: Logger;
  journal: Journal;
  registry: Registry;
  /** Name of this host, for locks, claims and the ledger. */
  host: string;
  processes: ProcessLiveness;
  /**
   * Runs a child process; injected so that the in-memory world can stand in. `graceMs`: how long it may take to end once
   * the signal was aborted; then it is killed.
   */
  exec(options: ExecOptions & { signal: AbortSignal; log: Logger; graceMs?: number }): Promise<void>;
  /** A text for people without the secrets in it: what the ledger and the outbox keep. Default: the text as it is. */
  hidden?(text: string): string;
  /** What notifiers may ask for. Default: none is known. */
  secrets?: Secrets;
}

export interface RunRequest {
  compiled: CompiledPipeline;
  config: ConfigView;
  /** Folder of the engine's own state, for SAFETY S2. */
  stateDir: string;
  dryRun: boolean;
  /** Name of the one item to run. */
  only?: string;
  /** Repeat work: of every stage, or of one. */
  force?: true | string;
  /** Finish the step, release everything, exit 130. */
  stop: AbortSignal;
  /** Stop now. */
  abort: AbortSignal;
  progress?: ProgressSink;
  /** Default: those of the kind of run. */
  deadlines?: Partial<Deadlines>;
  /** Told of each event that came to its end. The report of an endless run keeps none. */
  onItem?(item: ItemReport): void;
  /** Whether stages may queue events now. Default: as `[notify] enabled` says. */
  queueEvents?(): Promise<boolean>;
}
