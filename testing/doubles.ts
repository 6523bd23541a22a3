/**
 * Small doubles: a clock that never waits, a log that is kept, bytes that differ everywhere.
 * @module
 */
import type { Clock, Logger } from "../core/ports.ts";

/** A clock that stands still but for sleeps, which end at once. */
export interface InstantClock extends Clock {
  /** Now, ms since 1970; may be set. */
  time: number;
  /** The sleeps so far, ms. */
  readonly slept: number[];
}

/**
 * Makes such a clock. Default: 2026-01-02 03:04:05 UTC.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { instantClock } from "labferry/testing";
 *
 * const clock = instantClock(0);
 * await clock.sleep(60_000);
 * assert.equal(clock.now(), 60_000);
 * ```
 */
export function instantClock(time = Date.UTC(2026, 0, 2, 3, 4, 5)): InstantClock {
  return {
    time,
    slept: [],
    now() {
      return this.time;
    },
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      this.time += ms;
      this.slept.push(ms);
      return Promise.resolve();
    },
  };
}

/** A line of the log. */
export interface LoggedLine {
  /** How loud. */
  level: "debug" | "info" | "warn" | "error";
  /** Its words. */
  message: string;
  /** What was logged with them. */
  data?: Record<string, unknown>;
}

/**
 * Makes a log that keeps its lines.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { memoryLog } from "labferry/testing";
 *
 * const log = memoryLog();
 * log.warn("the mirror lags", { behind: 2 });
 * assert.deepEqual(log.lines, [{ level: "warn", message: "the mirror lags", data: { behind: 2 } }]);
 * ```
 */
export function memoryLog(): Logger & { lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: LoggedLine["level"]) => (message: string, data?: Record<string, unknown>) =>
    void lines.push({ level, message, data });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/**
 * Bytes that differ everywhere, the same for the same seed.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { patternBytes } from "labferry/testing";
 *
 * assert.deepEqual(patternBytes(8), patternBytes(8));
 * assert.notDeepEqual(patternBytes(8), patternBytes(8, 2));
 * ```
 */
export function patternBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state >>> 0;
  }
  return new Uint8Array(words.buffer, 0, length);
}
