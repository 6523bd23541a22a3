/** Sessions on object stores for tests: a journal in memory, a clock that never waits, small parts. */
import type { UploadSettings } from "../../core/contract.ts";
import type { OpenUpload, ProbeStore, UploadStore } from "../../core/journal/journal.ts";
import { Budget } from "../../core/objects/budget.ts";
import type { ObjectStore } from "../../core/objects/object_store.ts";
import type { RetryPolicy } from "../../core/objects/retry.ts";
import { type ObjectSession, openObjects } from "../../core/objects/session.ts";
import type { Clock, Logger } from "../../core/ports.ts";

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

/** The part of a journal that uploads need; outlives sessions as a journal does. */
export interface MemoryUploads {
  uploads: UploadStore;
  probes: ProbeStore;
  rows: Map<string, OpenUpload>;
  verdicts: Map<string, { holds: boolean; at: string }>;
}

export function memoryUploads(): MemoryUploads {
  const rows = new Map<string, OpenUpload>();
  const verdicts = new Map<string, { holds: boolean; at: string }>();
  const id = (store: string, name: string) => JSON.stringify([store, name]);
  return {
    rows,
    verdicts,
    uploads: {
      put: (row) => Promise.resolve(void rows.set(id(row.store, row.key), row)),
      touch({ store, key, uploadId }, usedAt) {
        const row = rows.get(id(store, key));
        if (row?.uploadId === uploadId) rows.set(id(store, key), { ...row, usedAt });
        return Promise.resolve();
      },
      get: (store, key) => Promise.resolve(rows.get(id(store, key))),
      list: (store, incarnation) =>
        Promise.resolve(
          [...rows.values()].filter((row) =>
            row.store === store && (incarnation === undefined || row.incarnation === incarnation)
          ),
        ),
      remove: (store, key) => Promise.resolve(void rows.delete(id(store, key))),
    },
    probes: {
      get: (store, operation) => Promise.resolve(verdicts.get(id(store, operation))),
      set: (store, operation, holds, at) => Promise.resolve(void verdicts.set(id(store, operation), { holds, at })),
    },
  };
}

export interface TestSessionOptions extends Partial<UploadSettings> {
  journal?: MemoryUploads;
  clock?: Clock;
  log?: Logger;
  signal?: AbortSignal;
  prefix?: string;
  budgetBytes?: number;
  retry?: RetryPolicy;
}

/** Opens a session on `store`: parts of 5 MiB, four at once, retries without waiting. */
export function testSession(store: ObjectStore, options: TestSessionOptions = {}): ObjectSession {
  const journal = options.journal ?? memoryUploads();
  const { verify = "auto", partSize = 5 * 2 ** 20, parallel = 4, storageClass } = options;
  return openObjects({
    store,
    probes: journal.probes,
    uploads: journal.uploads,
    clock: options.clock ?? instantClock(),
    log: options.log ?? memoryLog(),
    signal: options.signal ?? new AbortController().signal,
    settings: { verify, partSize, parallel, storageClass },
    prefix: options.prefix ?? "backups/",
    budget: new Budget(options.budgetBytes ?? 64 * 2 ** 20),
    retry: options.retry ?? { attempts: 5, firstMs: 100, maxMs: 1000, random: () => 0.5 },
  });
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
