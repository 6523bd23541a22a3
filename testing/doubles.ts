/**
 * Small doubles: a clock that never waits, a log that is kept, bytes that differ everywhere.
 * @module
 */
import type { Clock, Logger } from "../core/ports.ts";

/** A clock that stands still but for sleeps, which end at once. */
export interface InstantClock extends Clock {
  time: number;
  readonly slept: number[];
}

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

export interface LoggedLine {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  data?: Record<string, unknown>;
}

export function memoryLog(): Logger & { lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: LoggedLine["level"]) => (message: string, data?: Record<string, unknown>) =>
    void lines.push({ level, message, data });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Bytes that differ everywhere, the same for the same seed. */
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
