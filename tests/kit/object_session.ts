/** Sessions on object stores for tests: a journal in memory, a clock that never waits, small parts. */
import type { UploadSettings } from "../../core/contract.ts";
import type { OpenUpload, ProbeStore, UploadStore } from "../../core/journal/journal.ts";
import { Budget } from "../../core/objects/budget.ts";
import type { ObjectStore } from "../../core/objects/object_store.ts";
import type { RetryPolicy } from "../../core/objects/retry.ts";
import { type ObjectSession, openObjects } from "../../core/objects/session.ts";
import type { Clock, Logger } from "../../core/ports.ts";
import { instantClock, memoryLog } from "../../testing/doubles.ts";

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
