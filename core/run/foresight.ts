/**
 * What a dry run learns of the end a real run would have. It goes on planning, since a plan is worth having; its exit
 * code is the one that the real run would have.
 * @module
 */
import type { PipelineError } from "../errors.ts";
import type { CompiledPipeline } from "../pipeline/compile.ts";
import type { Logger } from "../ports.ts";

export class Foresight {
  readonly #log: Logger;
  readonly #hasPrograms: boolean;
  #stop: PipelineError | undefined;

  constructor(compiled: Pick<CompiledPipeline, "before">, log: Logger) {
    this.#log = log;
    // A hook without a program touches nothing; one that has a program may mount a share or open the way to a store.
    this.#hasPrograms = compiled.before.some(({ facts }) => facts.kills !== undefined);
  }

  /** The first thing that would stop a real run for sure. */
  get stop(): PipelineError | undefined {
    return this.#stop;
  }

  /** What is not there now, and what a program of `[[before]]` may bring before a real run looks (SAFETY S1). */
  missing(words: string, error: PipelineError): void {
    if (this.#hasPrograms) {
      this.#log.warn(`${words}; a real run would stop here unless a program of [[before]] brings it`);
    } else this.surely(words, error);
  }

  /** What stops a real run whatever `[[before]]` does. */
  surely(words: string, error: PipelineError): void {
    this.#log.warn(`${words}; a real run would stop here`);
    this.#stop ??= error;
  }
}
