/**
 * What Windows needs: paths without the old length limit, and patience while a scanner holds a file. Pure, so that both
 * are tested on every system.
 * @module
 */

/**
 * A Windows path in its verbatim form (`\\?\C:\…`, `\\?\UNC\server\share\…`), which has no 260-character limit and takes
 * names literally. Expects an absolute, normalised path; others are returned as they are.
 */
export function longPath(path: string): string {
  if (/^[\\/]{2}[?.][\\/]/.test(path)) return path;
  const plain = path.replaceAll("/", "\\");
  if (/^[a-z]:\\/i.test(plain)) return `\\\\?\\${plain}`;
  if (/^\\\\[^\\]+\\[^\\]+/.test(plain)) return `\\\\?\\UNC\\${plain.slice(2)}`;
  return path;
}

/** The way back from `longPath`, so that one folder has one spelling. Other verbatim paths (volume ids) are as they are. */
export function shortPath(path: string): string {
  if (/^\\\\\?\\[a-z]:/i.test(path)) return path.slice(4);
  return /^\\\\\?\\UNC\\/i.test(path) ? `\\\\${path.slice(8)}` : path;
}

/** How long a call may be tried again while another program holds the file, in ms. */
export const BUSY_PATIENCE_MS = 60_000;

const BUSY_CODES: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EBUSY"]);

/**
 * A removed file that a scanner still holds open keeps its folder from being empty, for moments. Folders that really are
 * not empty are common, so the wait is short, in ms.
 */
export const EMPTYING_PATIENCE_MS = 500;

/**
 * How many ms to wait before a rename or unlink is tried again, or undefined to give up. Virus scanners and indexers
 * hold new files for moments on Windows; on other systems the same codes are final.
 */
export function busyDelay(
  failure: { os: string; code: string | undefined; attempt: number; waitedMs: number; patienceMs?: number },
): number | undefined {
  const { os, code, attempt, waitedMs, patienceMs = BUSY_PATIENCE_MS } = failure;
  const waits = code === "ENOTEMPTY" || BUSY_CODES.has(code ?? "");
  if (os !== "windows" || !waits || waitedMs >= patienceMs) return undefined;
  return Math.min(10 * attempt, 100, patienceMs - waitedMs);
}

/**
 * Remembers that waiting was in vain: a folder without permission must not cost a minute a file. After a wait that
 * ended in failure, the next ones are short until one call succeeds.
 */
export class Patience {
  #ms = BUSY_PATIENCE_MS;
  #emptyingMs = EMPTYING_PATIENCE_MS;
  readonly os: string;

  constructor(os: string = Deno.build.os) {
    this.os = os;
  }

  /** As `busyDelay`, with the patience that is left. */
  delay(failure: { code: string | undefined; attempt: number; waitedMs: number }): number | undefined {
    const emptying = failure.code === "ENOTEMPTY";
    const ms = busyDelay({ ...failure, os: this.os, patienceMs: emptying ? this.#emptyingMs : this.#ms });
    if (ms === undefined && failure.waitedMs > 0) {
      if (emptying) this.#emptyingMs = 20;
      else this.#ms = 1_000;
    }
    return ms;
  }

  succeeded(): void {
    this.#ms = BUSY_PATIENCE_MS;
    this.#emptyingMs = EMPTYING_PATIENCE_MS;
  }
}
