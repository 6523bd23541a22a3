/** What a stage saved within a step, for the attempt that takes the step up again. @module */
import type { StepStore } from "../journal/journal.ts";
import type { Json } from "../json.ts";

/** The saved progress of one step: durable until the step has ended, of this incarnation only. */
export class StepCheckpoint {
  readonly #steps: StepStore;
  readonly #at: { incarnation: string; stage: string; step: string; ignore: boolean };
  #exists = false;

  /** `ignore`: the work is to be repeated, so that what an earlier run saved does not count. */
  constructor(steps: StepStore, at: { incarnation: string; stage: string; step: string; ignore: boolean }) {
    this.#steps = steps;
    this.#at = at;
  }

  async read(): Promise<Json | undefined> {
    const { incarnation, stage, step, ignore } = this.#at;
    const value = await this.#steps.readCheckpoint(incarnation, stage, step);
    if (value !== undefined) this.#exists = true;
    return ignore ? undefined : value;
  }

  async write(value: Json): Promise<void> {
    const { incarnation, stage, step } = this.#at;
    this.#exists = true;
    await this.#steps.checkpoint(incarnation, stage, step, value);
  }

  /** The step has ended: done again, it begins at its beginning. */
  async end(): Promise<void> {
    const { incarnation, stage, step } = this.#at;
    if (this.#exists) await this.#steps.forgetCheckpoint(incarnation, stage, step);
  }
}
