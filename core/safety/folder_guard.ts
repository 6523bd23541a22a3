/** Containment at the act (SAFETY S15): no folder between an item's root and an entry is a link. @module */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath, parentOf } from "../io/paths.ts";

/** Looks at the folders that lead to an entry. Entries of one folder that follow each other share one look. */
export class FolderGuard {
  readonly #fs: FileSystem;
  readonly #root: string;
  #checked: string | undefined;

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** @throws {PipelineError} `destroy/escapes` when the way to `path` (`/`-separated) leads through anything but folders */
  async check(path: string): Promise<void> {
    const parent = parentOf(path);
    if (this.#checked === parent) return;
    await this.#expectFolder(this.#root);
    let at = "";
    for (const segment of parent === "" ? [] : parent.split("/")) {
      at = at === "" ? segment : `${at}/${segment}`;
      await this.#expectFolder(itemPath(this.#root, at));
    }
    this.#checked = parent;
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
