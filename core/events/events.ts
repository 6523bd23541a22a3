/**
 * Events: what people may want to hear of. They go into the outbox and are delivered by the notify pipeline; a failed
 * notification never fails a data stage (SAFETY S19).
 * @module
 */
import { ulid } from "@std/ulid";
import type { Json } from "../json.ts";
import type { OutboxEvent } from "../journal/journal.ts";

/** The events every installation knows, and when they fire. */
export const EVENTS: Readonly<Record<string, string>> = {
  backup_failure: "`backup run` ends with a code other than 0.",
  cleanup_failure: "`cleanup run` ends with a code other than 0.",
  fusion_error: "`monitor tail` finds an error in the instrument's log.",
  monitor_crash: "`monitor tail` itself ends with a code other than 0.",
  toolkit_error: "labferry logs a warning or an error (one per message and cooldown).",
};

/** Names an event may have: they are file names of recipients and keys of the outbox. */
export const EVENT_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * Whether a text can be the name of an event.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isEventName } from "labferry";
 *
 * assert.ok(isEventName("fusion_error"));
 * assert.ok(!isEventName("../x"));
 * ```
 */
export function isEventName(name: string): boolean {
  return EVENT_NAME.test(name);
}

/**
 * The event of a pipeline that ended with this exit code: `<pipeline>_failure`, for the monitor `monitor_crash`. Nobody
 * can be told that telling failed.
 */
export function eventForExit(pipeline: string, exitCode: number): string | undefined {
  return exitCode === 0 || pipeline === "notify" ? undefined : failureEvent(pipeline);
}

/** The event that tells of a pipeline's failure. */
export function failureEvent(pipeline: string): string {
  return pipeline === "monitor" ? "monitor_crash" : `${pipeline}_failure`;
}

/** An event before it is queued. `at`: ms since 1970. */
export interface NewEvent {
  event: string;
  at: number;
  data: Json;
}

/**
 * An event as the outbox keeps it; without a `key` its id is a new ULID. By a `key` it is queued once, however often.
 * @throws {RangeError} for a name that no recipients file can have
 */
export function toOutboxEvent({ event, at, data }: NewEvent, key?: string): OutboxEvent {
  if (!isEventName(event)) throw new RangeError(`"${event}" is no name of an event, wanted letters, digits, _ and -`);
  const id = key === undefined ? ulid(at) : `${event}:${key}`;
  return { id, event, at: new Date(at).toISOString(), data };
}
