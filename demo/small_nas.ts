/** The disk of this machine, on which one folder stands for a NAS of a made-up size. @module */
import { join } from "@std/path";
import { Disk } from "../core/io/disk.ts";
import type { SpaceInfo } from "../core/io/file_system.ts";
import { contains } from "../core/io/paths.ts";

/** Only `space` is made up, and only at or below `root`: the size less what lies there. */
export class SmallNas extends Disk {
  readonly #root: string;
  readonly #total: number;

  /** `root` is an OS path, `total` the size in bytes. */
  constructor({ root, total }: { root: string; total: number }) {
    super();
    this.#root = root;
    this.#total = total;
  }

  override async space(path: string): Promise<SpaceInfo> {
    const root = await this.realPath(this.#root);
    if (!contains(root, await this.realPath(path))) return await super.space(path);
    return { free: Math.max(0, this.#total - await this.#bytesBelow(root)), total: this.#total };
  }

  async #bytesBelow(folder: string): Promise<number> {
    let bytes = 0;
    for (const { name, kind } of await this.readDir(folder)) {
      const path = join(folder, name);
      if (kind === "directory") bytes += await this.#bytesBelow(path);
      else bytes += (await this.lstat(path))?.size ?? 0;
    }
    return bytes;
  }
}
