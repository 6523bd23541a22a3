/** The log file: one a day (UTC), split by size, old ones removed. @module */
import { join } from "@std/path";

/** A new file is begun when one would grow beyond this, in bytes. */
const MAX_BYTES = 64 * 2 ** 20;
/** Log files of more days than this are removed when a log is opened. */
const KEEP_DAYS = 90;
const NAME = /^labferry-(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.log$/;
const DAY_MS = 86_400_000;

export interface LogFile extends Disposable {
  /** Path of the file that is written now. */
  readonly path: string;
  /** Appends a line, given without its newline; `at` in ms since 1970 decides the day. */
  write(line: string, at: number): void;
}

export interface LogFileOptions {
  now: number;
  maxBytes?: number;
  keepDays?: number;
}

/**
 * Opens the log file of today in `folder`, which is made if absent. Lines are appended whole, so that several processes
 * may log at once. Rejected writes throw the system's error.
 */
export function openLogFile(folder: string, options: LogFileOptions): LogFile {
  const { now, maxBytes = MAX_BYTES, keepDays = KEEP_DAYS } = options;
  Deno.mkdirSync(folder, { recursive: true });
  removeOld(folder, now - keepDays * DAY_MS);
  const encoder = new TextEncoder();
  let day = dayOf(now);
  let current = openDay(folder, day, maxBytes);
  return {
    get path() {
      return current.path;
    },
    write(line, at) {
      const bytes = encoder.encode(`${line}\n`);
      const today = dayOf(at);
      if (today !== day || current.size + bytes.length > maxBytes) {
        current.file.close();
        day = today;
        current = openDay(folder, day, maxBytes - bytes.length);
      }
      for (let done = 0; done < bytes.length;) done += current.file.writeSync(bytes.subarray(done));
      current.size += bytes.length;
    },
    [Symbol.dispose]: () => current.file.close(),
  };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function openDay(folder: string, day: string, maxBytes: number): { path: string; file: Deno.FsFile; size: number } {
  for (let part = 1;; part++) {
    const path = join(folder, part === 1 ? `labferry-${day}.log` : `labferry-${day}.${part}.log`);
    const file = Deno.openSync(path, { create: true, append: true });
    const { size } = file.statSync();
    if (size === 0 || size <= maxBytes) return { path, file, size };
    file.close();
  }
}

function removeOld(folder: string, before: number): void {
  for (const entry of Deno.readDirSync(folder)) {
    const match = NAME.exec(entry.name);
    if (match === null || !entry.isFile || !(Date.parse(match[1]) < before)) continue;
    try {
      Deno.removeSync(join(folder, entry.name));
    } catch {
      // Another process removed it first, or still reads it: the next run tries again.
    }
  }
}
