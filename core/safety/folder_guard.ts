/** Containment at the act (SAFETY S15): no folder between an item's root and an entry is a link. @module */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath, parentOf } from "../io/paths.ts";

/** How long (ms) a look holds: what follows it may hang, and a folder can be replaced meanwhile. */
const LOOK_HOLDS_MS = 100;

/** Looks at the folders that lead to an entry. Entries of one folder that follow each other shortly share one look. */
export class FolderGuard {
  readonly #fs: Pick<FileSystem, "lstat">;
  readonly #root: string;
  readonly #elapsed: () => number;
  #checked: { parent: string; at: number } | undefined;

  /** `elapsed`: ms since some moment. */
  constructor(fs: Pick<FileSystem, "lstat">, root: string, elapsed: () => number = () => performance.now()) {
    this.#fs = fs;
    this.#root = root;
    this.#elapsed = elapsed;
  }

  /** @throws {PipelineError} `destroy/escapes` when the way to `path` (`/`-separated) leads through anything but folders */
  async check(path: string): Promise<void> {
    const parent = parentOf(path);
    const at = this.#elapsed();
    if (this.#checked?.parent === parent && at - this.#checked.at <= LOOK_HOLDS_MS) return;
    await this.#expectFolder(this.#root);
    let folder = "";
    for (const segment of parent === "" ? [] : parent.split("/")) {
      folder = folder === "" ? segment : `${folder}/${segment}`;
      await this.#expectFolder(itemPath(this.#root, folder));
    }
    this.#checked = { parent, at };
  }

  async #expectFolder(path: string): Promise<void> {
    const stat = await this.#fs.lstat(path);
    if (stat?.kind === "directory") return;
    const found = stat === undefined
      ? "nothing is there"
      : stat.kind === "symlink"
      ? "a link is there"
      : "a file is there";
    throw new PipelineError("destroy/escapes", `Cannot remove anything below "${path}": ${found}, wanted a folder`, {
      hint: "A folder of the study was replaced during the run. Nothing behind it was removed.",
    });
  }
}
