/** What a stage may do ends with the stage: its acts are lent for that time. @module */
import { PipelineError } from "../errors.ts";
import { endedOrLeft } from "./deadlines.ts";

/** How long acts that nobody waited for are waited for. */
interface Ending {
  signal: AbortSignal;
  ms: number;
  onLeft(acts: Promise<void>): void;
}

/** The time of one stage with one item. */
export class Lease {
  readonly #stage: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #isOver = false;

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** Returns the act, to be had as long as the lease. */
  lend<A extends unknown[], R>(name: string, act: (...given: A) => Promise<R>): (...given: A) => Promise<R> {
    // Asynchronous, so that whoever forgot the act hears of it where he would hear of any failure.
    return async (...given) => {
      if (this.#isOver) throw this.#over(name);
      const acting = act(...given);
      this.#underWay.add(acting);
      try {
        return await acting;
      } finally {
        this.#underWay.delete(acting);
      }
    };
  }

  /** What only looks ends with it, too. */
  assertHeld(name: string): void {
    if (this.#isOver) throw this.#over(name);
  }

  /**
   * Nothing can be begun any more, and what nobody waited for has ended: nothing of it falls into a later stage. What
   * has not ended `ms` after the signal is handed to `onLeft`, and nobody waits for it.
   */
  async end({ signal, ms, onLeft }: Ending): Promise<void> {
    this.#isOver = true;
    if (this.#underWay.size === 0) return;
    const acts = Promise.allSettled([...this.#underWay]).then(() => {});
    // Why it was to end is told by whoever told it to.
    await endedOrLeft(acts, { signal, ms, onLeft: () => onLeft(acts) }).catch(() => {});
  }

  #over(name: string): PipelineError {
    return new PipelineError(
      "plugins/stage-over",
      `Cannot do ${name} for stage "${this.#stage}": the stage has ended for this item, wanted within its apply`,
      {
        hint:
          "This is a mistake of the stage: it must wait for all it began (await) before apply ends; tell its author",
      },
    );
  }
}
