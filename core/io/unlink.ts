/**
 * Removing one file. Windows refuses to remove a file with the read-only attribute, which instruments like to set; the
 * caller has decided that this file goes, so the attribute goes first, and comes back if the removal fails all the same.
 * @module
 */
import { errnoOf } from "./io_errors.ts";

/** The calls this is made of. */
export interface UnlinkCalls {
  remove(path: string): void;
  mode(path: string): number | null;
  chmod(path: string, mode: number): void;
}

const WINDOWS = Deno.build.os === "windows";
const OWNER_MAY_WRITE = 0o200;

const systemCalls: UnlinkCalls = {
  remove: (path) => Deno.removeSync(path),
  mode: (path) => Deno.lstatSync(path).mode,
  chmod: (path, mode) => Deno.chmodSync(path, mode),
};

/** Removes a file although it is read-only, after its plain removal failed with `refused`; else throws that error. */
export function removeReadOnly(path: string, refused: unknown, calls: UnlinkCalls = systemCalls): void {
  const code = errnoOf(refused);
  if (code !== "EPERM" && code !== "EACCES") throw refused;
  let mode: number | null;
  try {
    mode = calls.mode(path);
  } catch {
    throw refused; // it cannot even be looked at: the first error says more
  }
  if (mode === null || (mode & OWNER_MAY_WRITE) !== 0) throw refused;
  const restored = mode & 0o777;
  try {
    calls.chmod(path, restored | OWNER_MAY_WRITE);
  } catch {
    throw refused; // no right to change it either: the first error is the one that counts
  }
  try {
    calls.remove(path);
  } catch (error) {
    try {
      calls.chmod(path, restored);
    } catch {
      // The file stays as it is but for the attribute; the error on its way says why it is still there.
    }
    throw error;
  }
}

/** Removes a file, on Windows also a read-only one. Takes the path as the system does (`osPath`). */
export function unlinkSync(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!WINDOWS) throw error;
    removeReadOnly(path, error);
  }
}

/** As `unlinkSync`, off the calling thread but for the rare read-only file. */
export async function unlink(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!WINDOWS) throw error;
    removeReadOnly(path, error);
  }
}
