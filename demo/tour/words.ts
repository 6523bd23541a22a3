/** Small things the chapters of the tour say and ask. @module */
import { PipelineError } from "../../core/errors.ts";

/** Bytes for people. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Whether anything is at a path. @throws {PipelineError} `demo/unreadable` */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PipelineError("demo/unreadable", `Cannot look at "${path}": ${reason}`, { cause: error });
  }
}
