/**
 * Files that other programs write while we read: opened for reading only, known by what survives a rename.
 * @module
 */
import { basename, dirname, extname, join } from "@std/path";
import { PipelineError } from "../errors.ts";
import { KIND_WORDS } from "./file_system.ts";
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
  /** The files beside the log, those with a name `matches` takes. */
  async function* beside(path: string, matches: (name: string, log: string) => boolean) {
    const real = await ifThere(path, () => fs.realPath(path)) ?? path;
    const folder = dirname(real);
    for (const { name, kind } of await ifThere(folder, () => fs.readDir(folder)) ?? []) {
      if (kind !== "file" || !matches(name, basename(real))) continue;
      const found = join(folder, name);
      const stat = await ifThere(found, () => fs.lstat(found));
      if (stat !== undefined) yield { path: found, stat };
    }
  }
  /** Opens what stands under a path if it still is the file that was seen there. */
  const openSame = async (path: string, identity: string): Promise<FollowedFile | undefined> => {
    const found = await open(path);
    if (found?.identity === identity) return found;
    await found?.[Symbol.asyncDispose]();
    return undefined;
  };
  return {
    open,
    async identity(path) {
      const stat = await ifThere(path, async () => await fs.lstat(await fs.realPath(path)));
      return stat && identityOf(stat);
    },
    async find(path, identity) {
      for await (const { path: found, stat } of beside(path, () => true)) {
        if (identityOf(stat) !== identity) continue;
        const file = await openSame(found, identity);
        if (file !== undefined) return file;
      }
      return undefined;
    },
    async after(path, file) {
      if (!(file instanceof OpenFollowedFile)) throw new TypeError("the file was not opened here");
      const finished = await file.stat();
      let next: { path: string; stat: FileStat } | undefined;
      for await (const one of beside(path, (name, log) => name !== log && isRotated(name, log))) {
        const { stat } = one;
        if (identityOf(stat) === file.identity || isLater(finished.birthtimeMs, stat.birthtimeMs)) continue;
        if (!isLater(stat.mtimeMs, finished.mtimeMs)) continue;
        if (next === undefined || isLater(next.stat.mtimeMs, stat.mtimeMs)) next = one;
      }
      return next && await openSame(next.path, identityOf(next.stat));
    },
  };
}

function isLater(a: number | null, b: number | null): boolean {
  return a !== null && b !== null && a > b;
}

/**
 * Whether a name is one that a rotation gives to a log: `Fusion.log.1`, `Fusion.2.log`, `Fusion-20260102.log`,
 * `Fusion.log.old`. What was packed is no log any more.
 */
export function isRotated(name: string, log: string): boolean {
  const tail = extname(log).toLowerCase();
  const stem = basename(log.toLowerCase(), tail);
  const given = name.toLowerCase();
  if (!given.startsWith(stem)) return false;
  const rest = given.slice(stem.length);
  const at = tail === "" ? 0 : rest.indexOf(tail);
  if (at < 0) return false;
  return /^[\d._+t-]*$/.test(rest.slice(0, at)) &&
    /^(?:[\d._+t-]*|[._-](?:old|bak|prev))$/.test(rest.slice(at + tail.length));
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
    return (await this.stat()).size;
  }

  async stat(): Promise<FileStat> {
    try {
      return await this.#handle.stat();
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
  return new PipelineError("io/not-a-file", `Cannot follow "${path}": it is ${KIND_WORDS[kind]}, wanted a file`, {
    stopsRun: 2,
    hint: "Name the log file itself, not the folder it is in.",
  });
}
