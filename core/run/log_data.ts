/** What a stage hands to the log, so that its line is always written. @module */
import { copyOf } from "../external/stage_error.ts";
import { shown } from "../external/field.ts";

/** How deep data is followed: deeper is a circle, or nothing for a line. */
const DEEPEST = 8;

/** The words of a line, whatever they are. */
export function logWords(message: unknown): string {
  return typeof message === "string" ? message : look(() => shown(message));
}

/** A copy of data each part of which can be read. */
export function logData(data: unknown): Record<string, unknown> | undefined {
  if (data === undefined || data === null) return undefined;
  const copy = plain(data, 0);
  return typeof copy === "object" && copy !== null && !Array.isArray(copy) && !(copy instanceof Error)
    ? copy as Record<string, unknown>
    : { data: copy };
}

function plain(value: unknown, deep: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (deep > DEEPEST) return "…";
  return look(() => {
    if (value instanceof Error) return copyOf(value);
    if (Array.isArray(value)) return value.map((_, at) => look(() => plain(value[at], deep + 1)));
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const keys = Object.keys(value);
    return Object.fromEntries(
      keys.map((key) => [key, look(() => plain((value as Record<string, unknown>)[key], deep + 1))]),
    );
  });
}

function look<T>(read: () => T): T | string {
  try {
    return read();
  } catch {
    return "(cannot be read)";
  }
}
