/** Writes the small files that belong to labferry itself: configs, lists, units of a scheduler. @module */
import { basename, dirname, join } from "@std/path";
import { ioError } from "../core/io/io_errors.ts";

export interface WriteOptions {
  /** Permissions on POSIX; on Windows the folder decides. */
  mode: number;
  /** `keep`: a file that stands is left as it is. `replace`: it gives way, whole, and only when the new one is. */
  standing: "keep" | "replace";
}

/**
 * Writes a file, flushed; returns false when a standing one was kept. The folder is made if absent.
 * @throws {PipelineError} `io/…`
 */
export async function writeFile(path: string, bytes: Uint8Array, options: WriteOptions): Promise<boolean> {
  const { mode, standing } = options;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    // Nothing but a name that is created exclusively can be sure to overwrite nothing.
    if (standing === "keep") return await create(path, bytes, mode);
    const temporary = join(dirname(path), `.${basename(path)}.labferry-new`);
    // What an interrupted call left.
    await removeFile(temporary);
    await create(temporary, bytes, mode);
    await Deno.rename(temporary, path);
    return true;
  } catch (error) {
    throw ioError(error, { verb: "write the file", path });
  }
}

async function create(path: string, bytes: Uint8Array, mode: number): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, createNew: true, mode });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (error) {
    await removeFile(path);
    throw error;
  } finally {
    file.close();
  }
  return true;
}

/** Removes a file; false when there was none. @throws {PipelineError} `io/…` */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw ioError(error, { verb: "remove the file", path });
  }
}

/** Whether something has this name, be it a link that leads nowhere. @throws {PipelineError} `io/…` */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw ioError(error, { verb: "look at", path });
  }
}
