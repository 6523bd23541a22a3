/**
 * Whether the ledger is still what was written to it (SAFETY S12): no month is shorter than its mirror or differs from it,
 * and the chains hold. While it is not, nothing is destroyed on its word.
 * @module
 */
import { basename, join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ledgerMonths } from "./fold.ts";
import type { Contradiction, LedgerMirror } from "./mirror.ts";
import { verifyChain } from "./verify_chain.ts";

export interface SoundnessOptions {
  fs: FileSystem;
  /** OS path of the ledger's folder. */
  root: string;
  mirror?: LedgerMirror;
  warn(message: string): void;
}

export class LedgerSoundness {
  readonly #options: SoundnessOptions;
  /** By month. */
  readonly #broken = new Map<string, Contradiction>();

  constructor(options: SoundnessOptions) {
    this.#options = options;
  }

  /** What was found by the last looks, those of appends among them. */
  get known(): Contradiction | undefined {
    const [first] = [...this.#broken].sort(([a], [b]) => a < b ? -1 : 1);
    return this.#options.mirror?.contradiction() ?? first?.[1];
  }

  /** Looks at all months by their sizes and their chains. For the start of a run; changes nothing, and throws the reason of the signal. */
  async compare(signal?: AbortSignal): Promise<void> {
    const { mirror, warn } = this.#options;
    // Before anything is appended: a month that lost lines can still be put back as it was.
    const found = await mirror?.compare(signal);
    signal?.throwIfAborted();
    for (const warning of found?.warnings ?? []) warn(warning);
    try {
      await this.#lookAtChains(() => true);
    } catch (error) {
      warn(`Cannot look at the chain of the ledger: ${(error as Error).message}`);
    }
    for (const broken of this.#broken.values()) warn(`${inWords(broken)}. ${broken.todo}`);
  }

  /** For `LedgerOptions.onAppended`. */
  async onAppended(month: string): Promise<void> {
    const { mirror, warn } = this.#options;
    for (const warning of (await mirror?.onAppended(month))?.warnings ?? []) warn(warning);
  }

  /** Looks anew at a month, byte by byte against its mirror, and at its chain and that of the newest. */
  async look(month: string): Promise<Contradiction | undefined> {
    // The chain first: what was changed here must not become what it is compared with.
    await this.#lookAtChains((one, { isNewest }) => one === month || isNewest || this.#broken.has(one));
    if (this.#broken.size === 0) await this.onAppended(month);
    return this.known;
  }

  /** The error a run ends with that found the ledger contradicted. */
  get error(): PipelineError | undefined {
    const { known } = this;
    if (!known) return undefined;
    return new PipelineError("ledger/contradicted", `Cannot count on the ledger: ${known.found}`, {
      hint: `Nothing is removed while that is so. ${known.todo}`,
    });
  }

  async #lookAtChains(wants: (month: string, is: { isNewest: boolean }) => boolean): Promise<void> {
    const { fs, root, mirror } = this.#options;
    const months = await ledgerMonths(fs, root);
    for (const [index, month] of months.entries()) {
      if (!wants(month, { isNewest: index === months.length - 1 })) continue;
      const { file, broken } = await verifyChain(fs, join(root, month));
      if (!broken) {
        this.#broken.delete(month);
        continue;
      }
      const other = mirror?.uriOf(basename(file)) ?? "a backup of it that you have";
      this.#broken.set(month, {
        found: `the chain of "${file}" is broken at line ${broken.line}: ${broken.why}`,
        todo:
          `Stop all runs and keep the file. Compare it line by line, as with diff, with ${other}, and put back the ` +
          `lines as they were. Then run: labferry manifest verify ${root}`,
      });
    }
  }
}

function inWords({ found }: Contradiction): string {
  return `${found[0].toUpperCase()}${found.slice(1)}`;
}
