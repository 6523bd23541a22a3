/**
 * Some space set aside at a root for the day its file system is full: a run that is to make room has to write a lock and
 * lines of the ledger first. Only such a run lets it go, since whatever fills the disk would take it too.
 * @module
 */
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileSystem, SpaceInfo } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { formatSize } from "../sizes.ts";
import type { Clock, Logger } from "../ports.ts";
import type { MarkedRoot } from "./roots.ts";

/** Name of the file that holds the space. */
export const RESERVE_NAME = ".labferry-reserve";

const SMALLEST = 64 * 2 ** 10;
const LARGEST = 2 ** 20;
/** Share of a reserve that is needed at least: what is written are a few small files, each of one block or a few. */
const NEEDED_SHARE = 1 / 4;
/** A reserve is made where there is room for this many. */
const PLENTY = 16;
/** A file system that frees in the background (ZFS) does so every few seconds. */
const FREEING_MS = 6_000;
const FREEING_TRIES = 3;

export type ReserveRoot = Pick<MarkedRoot, "path" | "check">;

/** Bytes: a thousandth of the disk, within bounds. */
function sizeOf({ total }: SpaceInfo): number {
  return Math.round(Math.min(LARGEST, Math.max(SMALLEST, total / 1000)));
}

/** How little may be free before a small write is in doubt. */
function neededOf(space: SpaceInfo): number {
  return sizeOf(space) * NEEDED_SHARE;
}

/** A folder or a link of that name is not ours, and stays. */
async function reserveAt(fs: FileSystem, root: string): Promise<number | undefined> {
  const stat = await fs.lstat(join(root, RESERVE_NAME));
  return stat?.kind === "file" ? stat.size : undefined;
}

/**
 * Makes the reserve of a root unless it is there or there is no room. `again`: the run itself has let it go, so that its
 * room is there without plenty, but for what was written meanwhile; a smaller one, too, lets the next run begin.
 * Returns whether it was made.
 */
export async function makeReserve(fs: FileSystem, root: string, { again = false } = {}): Promise<boolean> {
  const path = join(root, RESERVE_NAME);
  const space = await fs.space(root);
  const size = again ? Math.min(sizeOf(space), space.free) : sizeOf(space);
  const found = await reserveAt(fs, root);
  const room = again ? neededOf(space) : size * PLENTY;
  if (!(space.total > 0) || space.free < room || (found ?? 0) >= size) return false;
  if (found !== undefined) await fs.removeFile(path); // one that was never finished, or of a smaller disk
  else if (await fs.lstat(path) !== undefined) return false;
  const handle = await fs.createNew(path);
  try {
    await using _closing = handle;
    // Random, since a file system that compresses would set nothing aside for zeros.
    for (let left = size; left > 0; left -= SMALLEST) {
      await handle.write(crypto.getRandomValues(new Uint8Array(Math.min(left, SMALLEST))));
    }
    await handle.sync();
  } catch (error) {
    await fs.removeFile(path).catch(() => {}); // what is left of it is made anew by the next run that has room
    throw error;
  }
  await fs.syncDir(root);
  return true;
}

async function releaseReserve(fs: FileSystem, root: string): Promise<boolean> {
  if (await reserveAt(fs, root) === undefined) return false;
  await fs.removeFile(join(root, RESERVE_NAME));
  await fs.syncDir(root);
  return true;
}

export interface ReserveServices {
  fs: FileSystem;
  clock: Clock;
  log: Logger;
  /** Ends the waiting for what was released. */
  signal: AbortSignal;
}

/** The reserves of a run that frees a place: at the place, and where the ledger is. */
export class Reserves {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #roots: readonly ReserveRoot[];
  /** Roots whose space this run has used. */
  readonly #released = new Set<string>();

  constructor({ fs, clock, log, signal }: ReserveServices, roots: readonly ReserveRoot[]) {
    this.#fs = fs;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
    this.#roots = roots;
  }

  /**
   * Does a small write that everything else depends on; on a full disk, in the space that was set aside.
   * @throws {PipelineError} `place/full` when nothing is set aside
   */
  async write<T>(act: () => Promise<T>): Promise<T> {
    // Before it fails: a line of the ledger that was written by half stays there for good.
    for (const root of this.#roots) if (await this.#isShort(root)) await this.#release(root);
    for (let tries = 1;; tries++) {
      try {
        return await act();
      } catch (error) {
        if (!isFull(error) || tries > FREEING_TRIES) throw error;
        await this.assertRoom();
        await this.#releaseFull();
        if (this.#released.size === 0) throw error;
        await this.#clock.sleep(FREEING_MS, this.#signal);
      }
    }
  }

  /** @throws {PipelineError} `place/full` where a lock or a line of the ledger may find no room. Writes nothing. */
  async assertRoom(): Promise<void> {
    const full = await this.#whyFull();
    if (full) throw full;
  }

  /** Sets space aside again, where there is room: what this run let go, or a new one. What fails here fails no run. */
  async restore(): Promise<void> {
    for (const { path, check } of this.#roots) {
      try {
        await check();
        const again = this.#released.has(path);
        if (!await makeReserve(this.#fs, path, { again })) continue;
        this.#log.info(`"${path}" has its reserve for the day it is full`);
      } catch (error) {
        this.#log.warn(`No space could be set aside at "${path}": ${(error as Error).message}`);
      }
    }
  }

  async #isShort({ path }: ReserveRoot): Promise<boolean> {
    const space = await this.#fs.space(path).catch(() => undefined); // the write itself then tells
    return space !== undefined && space.total > 0 && space.free < neededOf(space);
  }

  /** What is full by a quota may look as if it had room. */
  async #releaseFull(): Promise<void> {
    const short = [];
    for (const root of this.#roots) if (await this.#isShort(root)) short.push(root);
    for (const root of short.length > 0 ? short : this.#roots) await this.#release(root);
  }

  async #release(root: ReserveRoot): Promise<boolean> {
    await root.check();
    const isReleased = await releaseReserve(this.#fs, root.path).catch((cause) => {
      throw ioError(cause, { verb: "release the reserve of", path: root.path });
    });
    if (!isReleased) return false;
    this.#released.add(root.path);
    this.#log.warn(`"${root.path}" is full: its reserve is released, so that room can be made`);
    return true;
  }

  async #whyFull(): Promise<PipelineError | undefined> {
    for (const root of this.#roots) {
      if (this.#released.has(root.path) || !await this.#isShort(root)) continue;
      if (await reserveAt(this.#fs, root.path) !== undefined) continue;
      const space = await this.#fs.space(root.path);
      return new PipelineError(
        "place/full",
        `Cannot begin at "${root.path}": ${formatSize(space.free)} is free, wanted ${formatSize(neededOf(space))} ` +
          `for a lock and lines of the ledger, and no ${RESERVE_NAME} is there`,
        {
          stopsRun: 1,
          hint:
            `Make room by hand for once, some ${formatSize(sizeOf(space) * PLENTY)}: a snapshot, or files that are ` +
            "no backup. The next cleanup then sets space aside for the day it is full again.",
        },
      );
    }
    return undefined;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof PipelineError && error.code === "io/disk-full";
}
