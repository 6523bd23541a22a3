/**
 * What the command line sees of the process: streams, environment, signals. `cli.ts` makes the real one; tests hand in
 * a made-up one.
 * @module
 */

import type { OutboxEvent } from "../core/journal/journal.ts";
import type { OutsideCode } from "./outside_code.ts";

/** Ctrl+C and SIGTERM as signals. */
export interface Interrupts extends Disposable {
  /** Aborted by the first interrupt, or when the process broke: finish the step, release what is held. */
  readonly stop: AbortSignal;
  /** Aborted by the second, or when the process broke: stop now. */
  readonly abort: AbortSignal;
}

/** What is interrupted. */
export interface InterruptOptions {
  /** It ends only by being interrupted, and then well. */
  endless?: boolean;
  /** What is to be done before the process is ended over it, within a second. */
  last?: () => Promise<unknown>;
}

/** Where a process notes that its failure is told. */
export interface FailureEvent {
  /** Set as soon as somebody queues the event; whether it was queued. */
  queued?: Promise<boolean>;
  /** What the journal did not take: it is delivered at the end of the command, or lost. */
  unqueued?: OutboxEvent[];
}

export interface Terminal {
  /** Writes to stdout, which carries results and nothing else. */
  out(text: string): void;
  /** Writes to stderr: progress, log, errors. */
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  columns(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly system: "windows" | "posix";
  readonly host: string;
  /** Absolute path that relative arguments start from. */
  readonly cwd: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `tick` every `ms` until disposed; does not keep the process alive. */
  every(ms: number, tick: () => void): Disposable;
  /** Aborted when something went wrong outside of any command: the end of the process tells of it, and nobody else. */
  readonly broken?: AbortSignal;
  /** The event of this process's failure, which a run and the end of a broken process may both mean to queue. */
  readonly failureEvent?: FailureEvent;
  /** The code from outside that runs in this process. */
  readonly outside?: OutsideCode;
  /** Starts to listen for interrupts; before, they end the process as the system does. */
  interrupts(options?: InterruptOptions): Interrupts;
  /** Asks on stderr and reads one line; null without a terminal on stdin. */
  ask(question: string): string | null;
  /** The same without showing what is typed. */
  askSecret(question: string): Promise<string | null>;
}
