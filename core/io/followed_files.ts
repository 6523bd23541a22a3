/**
 * Files that other programs write while we read: opened for reading only, known by what survives a rename.
 * @module
 */
import { dirname, join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FollowedFile, FollowedFiles } from "../event_ports.ts";
import type { FileHandle, FileStat, FileSystem } from "./file_system.ts";
import { ioError, isAbsent } from "./io_errors.ts";

/** Follows files of this file system. A path may be a link to the file. */
export function followFiles(fs: FileSystem): FollowedFiles {
  const open = async (path: string): Promise<FollowedFile | undefined> => {
    const real = await ifThere(path, () => fs.realPath(path));
    const standing = real === undefined ? undefined : await ifThere(path, () => fs.lstat(real));
    if (real === undefined || standing === undefined) return undefined;
    if (standing.kind !== "file") throw notAFile(path, standing);
    const handle = await ifThere(path, () => fs.openRead(real));
    if (handle === undefined) return undefined;
    try {
      return new OpenFollowedFile(path, handle, identityOf(await handle.stat()));
    } catch (error) {
      await handle.close();
      throw asIoError(error, path);
    }
  };
  return {
    open,
    async identity(path) {
      const stat = await ifThere(path, async () => await fs.lstat(await fs.realPath(path)));
      return stat && identityOf(stat);
    },
    async find(path, identity) {
      const folder = dirname(await ifThere(path, () => fs.realPath(path)) ?? path);
      for (const { name, kind } of await ifThere(folder, () => fs.readDir(folder)) ?? []) {
        if (kind !== "file") continue;
        const beside = join(folder, name);
        const stat = await ifThere(beside, () => fs.lstat(beside));
        if (stat === undefined || identityOf(stat) !== identity) continue;
        const found = await open(beside);
        if (found?.identity === identity) return found;
        await found?.[Symbol.asyncDispose]();
      }
      return undefined;
    },
  };
}

/** Not the device: its number may be another after a restart of the machine. */
function identityOf({ ino, birthtimeMs }: FileStat): string {
  return `${ino ?? "-"}:${birthtimeMs ?? "-"}`;
}

class OpenFollowedFile implements FollowedFile {
  readonly identity: string;
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle, identity: string) {
    this.#path = path;
    this.#handle = handle;
    this.identity = identity;
  }

  async size(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (error) {
      throw asIoError(error, this.#path);
    }
  }

  async read(at: number, buffer: Uint8Array): Promise<number> {
    try {
      await this.#handle.seek(at);
      let filled = 0;
      while (filled < buffer.length) {
        const got = await this.#handle.read(buffer.subarray(filled));
        if (got === 0) break;
        filled += got;
      }
      return filled;
    } catch (error) {
      throw asIoError(error, this.#path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function ifThere<T>(path: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw asIoError(error, path);
  }
}

function asIoError(error: unknown, path: string): unknown {
  return error instanceof PipelineError ? error : ioError(error, { verb: "read", path });
}

function notAFile(path: string, { kind }: FileStat): PipelineError {
  return new PipelineError("io/not-a-file", `Cannot follow "${path}": it is a ${kind}, wanted a file`, {
    stopsRun: 2,
    hint: "Name the log file itself, not the folder it is in.",
  });
}
