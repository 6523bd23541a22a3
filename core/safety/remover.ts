/**
 * The last look before anything of an item goes, and the act (SAFETY S5, S20): whatever a destroy removes goes through
 * here, and nothing else in core/ removes any of an item.
 * @module
 */
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import type { Clock } from "../ports.ts";

/** SAFETY S5: how old (ms) a proof may be when what it is of goes. */
export const MAX_PROOF_AGE_MS = 10 * 60_000;

export interface RemoverServices {
  fs: Pick<FileSystem, "removeFile" | "removeEmptyDir">;
  clock: Clock;
  /** ms since some moment. A clock that is set back hides how long a proof took; nobody sets this one. */
  elapsed?: () => number;
}

/** Removes what was proved since it was made. */
export class Remover {
  readonly #services: RemoverServices;
  readonly #signal: AbortSignal;
  readonly #elapsed: () => number;
  readonly #since: { clock: number; elapsed: number };

  /** To be made before the first of the proofs it acts on. `signal` is that of the act. */
  constructor(services: RemoverServices, signal: AbortSignal) {
    this.#services = services;
    this.#signal = signal;
    this.#elapsed = services.elapsed ?? (() => performance.now());
    this.#since = { clock: services.clock.now(), elapsed: this.#elapsed() };
  }

  /**
   * Whether the proofs still hold. They may have been asked of a disk that hung until nobody waited for the act any more.
   * @throws the signal's reason
   */
  may(): boolean {
    this.#signal.throwIfAborted();
    // The system's own count stands still while a host sleeps, so both are asked.
    const ms = Math.max(
      Math.abs(this.#services.clock.now() - this.#since.clock),
      this.#elapsed() - this.#since.elapsed,
    );
    return ms <= MAX_PROOF_AGE_MS;
  }

  /**
   * Removes a file, or a folder that is empty. Returns false, and removes nothing, when it has to be proved anew.
   * `onAct` is called right before: a removal whose answer is an error may have been done.
   */
  async remove(path: string, { kind, onAct }: { kind: "file" | "folder"; onAct?: () => void }): Promise<boolean> {
    if (!this.may()) return false;
    onAct?.();
    const { fs } = this.#services;
    try {
      await (kind === "file" ? fs.removeFile(path) : fs.removeEmptyDir(path));
    } catch (cause) {
      throw ioError(cause, { verb: kind === "file" ? "remove" : "remove the folder", path });
    }
    return true;
  }
}
