/** What a run is at, to say what a wish to stop waits for. @module */
import { commandLine } from "../core/io/programs.ts";
import type { ProgressSink } from "../core/run/progress.ts";
import type { EngineServices } from "../core/run/services.ts";
import { formatSpan } from "./format.ts";

type Exec = EngineServices["exec"];

/** Longest words of a program that are told, in characters. */
const PROGRAM_CHARS = 120;

interface Program {
  argv: readonly string[];
  /** When it is ended, ms since 1970; undefined without a limit. */
  until: number | undefined;
}

/** Listens to a run. */
export class AtWork {
  readonly #now: () => number;
  readonly #programs = new Set<Program>();
  /** The stage that was begun last, by item. */
  readonly #stages = new Map<string, string | undefined>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The same progress, listened to. */
  sink(sink: ProgressSink = {}): ProgressSink {
    return {
      ...sink,
      itemStarted: (item) => {
        this.#stages.set(item, undefined);
        sink.itemStarted?.(item);
      },
      stageStarted: (item, stage, expected) => {
        this.#stages.set(item, stage);
        sink.stageStarted?.(item, stage, expected);
      },
      itemFinished: (item, outcome) => {
        this.#stages.delete(item);
        sink.itemFinished?.(item, outcome);
      },
    };
  }

  /** The same way to run programs, listened to. */
  exec(exec: Exec): Exec {
    return async (options) => {
      const { argv, timeoutMs } = options;
      const program = { argv, until: timeoutMs === undefined ? undefined : this.#now() + timeoutMs };
      this.#programs.add(program);
      try {
        await exec(options);
      } finally {
        this.#programs.delete(program);
      }
    };
  }

  /** What becomes of a wish to stop. */
  get stopping(): string {
    const [program] = this.#programs;
    if (program === undefined) {
      const [first] = this.#stages;
      if (first === undefined) return "Stopping: no step is at work, so there is nothing to wait for";
      const [item, stage] = first;
      const where = stage === undefined ? "" : ` (stage "${stage}" of "${item}")`;
      return `Stopping: the step at work${where} is finished first and the locks are released; interrupt again to stop now`;
    }
    const { argv, until } = program;
    const words = commandLine(argv);
    const named = words.length <= PROGRAM_CHARS ? words : `${words.slice(0, PROGRAM_CHARS)}…`;
    const most = until === undefined ? "however long it takes" : `at most ${formatSpan(until - this.#now())}`;
    return `Stopping: the step at work is finished first, that is the program "${named}", ${most}; ` +
      "interrupt again to end it now";
  }
}
