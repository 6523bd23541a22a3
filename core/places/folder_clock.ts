/** The clock of a folder place: what its file system stamps a new file with (SAFETY S5 e, S13). @module */
import type { FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { isTemporaryName, temporaryName } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { notAFile } from "../io/same.ts";
import { makeFolders } from "../io/transfer.ts";
import type { MarkedRoot } from "../safety/roots.ts";

/** Beside the claims, where no study is. */
const FOLDER = ".labferry";

export class FolderClock {
  readonly #fs: FileSystem;
  readonly #root: MarkedRoot;
  #isSwept = false;

  constructor(fs: FileSystem, root: MarkedRoot) {
    this.#fs = fs;
    this.#root = root;
  }

  /**
   * The time (ms since 1970) that a file made now has once it is closed; null when the file system gives none. Servers
   * of shares stamp a file that stays open once, and then only when it is closed; so the file is a new one each time,
   * and is removed again.
   * @throws {PipelineError} `place/changed` when the root is another, or an `io/…` code
   */
  async now(): Promise<number | null> {
    await this.#root.check();
    const mtimeMs = await this.#probe().catch((error) => {
      throw ioError(error, { verb: "read the clock of", path: this.#root.path });
    });
    // A share that went away in between would have let a local folder tell the time.
    await this.#root.check();
    return mtimeMs;
  }

  async #probe(): Promise<number | null> {
    const root = this.#root.path;
    await makeFolders(this.#fs, { root, relative: FOLDER }, { durability: "flushed" });
    await this.#sweep();
    // A name that was never used: one that was just removed may be refused for a while, or be answered from a cache.
    const name = temporaryName(crypto.randomUUID().replaceAll("-", ""));
    const path = itemPath(root, `${FOLDER}/${name}`);
    const handle = await this.#fs.createNew(path);
    try {
      {
        await using _closing = handle;
        await handle.write(new TextEncoder().encode(`${name}\n`));
        await handle.sync();
      }
      const stat = await this.#fs.lstat(path);
      if (stat?.kind !== "file") throw notAFile("read the time of", path, stat);
      await this.#fs.removeFile(path);
      return stat.mtimeMs;
    } catch (error) {
      this.#isSwept = false;
      await this.#remove(path).catch(() => {}); // the first error is the one to tell; the next sweep tries again
      throw error;
    }
  }

  /** Removes what a run that was cut off left: the run's lock keeps others from making any meanwhile. */
  async #sweep(): Promise<void> {
    if (this.#isSwept) return;
    this.#isSwept = true;
    const folder = itemPath(this.#root.path, FOLDER);
    for (const { name, kind } of await this.#fs.readDir(folder)) {
      if (kind === "file" && isTemporaryName(name)) await this.#remove(itemPath(folder, name));
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#fs.removeFile(path);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}
