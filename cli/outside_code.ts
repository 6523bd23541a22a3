/**
 * Which code from outside runs in this process. What goes wrong outside of any promise names no stage; whoever reads of
 * it must know whose code it may have been.
 * @module
 */

/** How many files are named. */
const MOST_NAMED = 5;

export class OutsideCode {
  readonly #loaded = new Set<string>();
  readonly #stages = new Map<string, string>();

  /** The code of this file is about to run. */
  loads(file: string): void {
    this.#loaded.add(file);
  }

  /** A pipeline that is to run has a stage of this file. */
  uses(file: string, stage: string): void {
    this.#stages.set(file, stage);
  }

  /** The files, those of the pipeline's stages first; undefined where there is none. */
  words(): string | undefined {
    const used = [...this.#stages].map(([file, stage]) => `stage "${stage}" of "${file}"`);
    const others = [...this.#loaded].filter((file) => !this.#stages.has(file)).map((file) => `"${file}"`);
    const all = [...used, ...others];
    if (all.length === 0) return undefined;
    const more = all.length - MOST_NAMED;
    return `${all.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}
