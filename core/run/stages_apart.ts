/** What becomes of an event of which stages that fail apart did not all end well. @module */
import { PipelineError } from "../errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import type { StageReport } from "./report.ts";

/** How an item ends that was held up: with an error, or by waiting. */
export type HeldUp = { stage: CompiledStage } & ({ error: unknown } | { line: StageReport });

/** Notes how the stages of one item that fail apart have ended. */
export class StagesApart {
  #first: { stage: CompiledStage; error: unknown } | undefined;
  readonly #waiting: { stage: CompiledStage; line: StageReport }[] = [];
  #isAnyWell = false;

  /** Whether one of them has failed or waits. */
  get isHeldUp(): boolean {
    return this.#first !== undefined || this.#waiting.length > 0;
  }

  /** Returns whether another one failed before: of the first the report tells. */
  failed(stage: CompiledStage, error: unknown): boolean {
    const isLater = this.#first !== undefined;
    this.#first ??= { stage, error };
    return isLater;
  }

  waits(stage: CompiledStage, line: StageReport): void {
    this.#waiting.push({ stage, line });
  }

  endedWell(): void {
    this.#isAnyWell = true;
  }

  /** How the item ends; undefined when nothing held it up. It waits as a whole only where nothing else was possible. */
  end(): HeldUp | undefined {
    if (this.#first !== undefined) return this.#first;
    const [waiting] = this.#waiting;
    if (waiting === undefined || !this.#isAnyWell) return waiting;
    const { stage, line } = waiting;
    const what = `Cannot finish the event: stage "${stage.id}" waits, and the others are done`;
    return {
      stage,
      error: new PipelineError("run/partly", `${what}: ${line.why}`, {
        retry: "transient",
        hint: "Nothing is lost: the next run goes on with that stage alone.",
      }),
    };
  }
}
