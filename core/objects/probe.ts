/**
 * What a store can be trusted with (SAFETY S8): found by sending what it must refuse, once per endpoint and bucket, and
 * remembered for 30 days.
 * @module
 */
import { ulid } from "@std/ulid";
import type { ProbeStore } from "../journal/journal.ts";
import type { Clock, Logger } from "../ports.ts";
import { compositeSha256, md5Hex, sha256Base64 } from "./checksum.ts";
import { normalPrefix } from "./keys.ts";
import { type ObjectStore, ObjectStoreError, type PartRef } from "./object_store.ts";
import { type Patience, retrying, type RetryPolicy } from "./retry.ts";

/** What is probed: whether a wrong checksum is refused, whether `If-None-Match` holds, whether a part's ETag is its MD5. */
export const STORE_OPERATIONS = [
  "put-checksum",
  "put-if-absent",
  "part-checksum",
  "part-md5-etag",
  "complete-checksum",
  "complete-if-absent",
] as const;
export type StoreOperation = typeof STORE_OPERATIONS[number];
type Verdicts = Partial<Record<StoreOperation, boolean>>;

const MEMORY_MS = 30 * 86_400_000;
const CLEAN_MS = 30_000;

/** Answers whether a store was seen to enforce an operation. */
export interface Trust {
  trusts(operation: StoreOperation, signal: AbortSignal): Promise<boolean>;
  /** All verdicts, for people. */
  report(signal: AbortSignal): Promise<Record<StoreOperation, boolean>>;
}

/** What a probe needs. `prefix`: scratch keys are `<prefix>_probe/<ulid>`. */
export interface TrustOptions {
  store: ObjectStore;
  probes: ProbeStore;
  clock: Clock;
  log: Logger;
  prefix: string;
  patience?: Patience;
  retry?: RetryPolicy;
}

/**
 * Returns the trust in a store. Nothing is sent before the first question; questions asked at the same time share one
 * probe. A store that cannot be probed (no right to write scratch keys, out of reach) is not trusted, nor remembered.
 */
export function openTrust(options: TrustOptions): Trust {
  const { store, probes, clock, log } = options;
  const running = new Map<string, Promise<Verdicts>>();

  async function remembered(operation: StoreOperation): Promise<boolean | undefined> {
    const row = await probes.get(store.identity, operation);
    if (!row) return undefined;
    const age = clock.now() - Date.parse(row.at);
    // A verdict from the future is as good as none: the clock was wrong then, or is now.
    return age >= 0 && age < MEMORY_MS ? row.holds : undefined;
  }

  async function probe(group: "put" | "multipart", signal: AbortSignal): Promise<Verdicts> {
    const scratch = new Scratch(options, signal);
    const verdicts: Verdicts = {};
    try {
      await (group === "put" ? probePut(scratch, verdicts) : probeMultipart(scratch, verdicts));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ObjectStoreError) || error.kind === "stopped") throw error;
      log.warn(`Cannot probe "${store.uri}": ${error.message}; every object is read back instead`, {
        kind: error.kind,
      });
    } finally {
      await scratch.clean();
    }
    const at = new Date(clock.now()).toISOString();
    for (const [operation, holds] of Object.entries(verdicts)) await probes.set(store.identity, operation, holds, at);
    return verdicts;
  }

  async function trusts(operation: StoreOperation, signal: AbortSignal): Promise<boolean> {
    const known = await remembered(operation);
    if (known !== undefined) return known;
    const group = operation.startsWith("put") ? "put" : "multipart";
    const shared = running.get(group);
    if (shared) {
      try {
        return (await shared)[operation] ?? false;
      } catch {
        // Whoever began that probe was stopped, which says nothing of the store: probe on our own behalf.
        signal.throwIfAborted();
        return await trusts(operation, signal);
      }
    }
    const mine = probe(group, signal);
    running.set(group, mine);
    try {
      return (await mine)[operation] ?? false;
    } catch (error) {
      running.delete(group);
      throw error;
    }
  }

  return {
    trusts,
    report: async (signal) => {
      const entries: [StoreOperation, boolean][] = [];
      for (const operation of STORE_OPERATIONS) entries.push([operation, await trusts(operation, signal)]);
      return Object.fromEntries(entries) as Record<StoreOperation, boolean>;
    },
  };
}

/** Scratch keys and uploads of one probe, and their removal. */
class Scratch {
  readonly store: ObjectStore;
  readonly #options: TrustOptions;
  readonly #signal: AbortSignal;
  readonly #keys = new Set<string>();
  readonly #uploads: { key: string; id: string }[] = [];

  constructor(options: TrustOptions, signal: AbortSignal) {
    this.store = options.store;
    this.#options = options;
    this.#signal = signal;
  }

  key(): string {
    const key = `${normalPrefix(this.#options.prefix)}_probe/${ulid(this.#options.clock.now())}`;
    this.#keys.add(key);
    return key;
  }

  /** What must work: retried, and its failure ends the probe. */
  must<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, log, patience, retry } = this.#options;
    const doing = `probe "${this.store.uri}"`;
    return retrying(() => act(this.#signal), { clock, log, signal: this.#signal, patience, policy: retry, doing });
  }

  /** Whether the store refuses what it must refuse; failures that say nothing of that end the probe. */
  async refuses(
    act: (signal: AbortSignal) => Promise<unknown>,
    ...kinds: ObjectStoreError["kind"][]
  ): Promise<boolean> {
    // Only passing failures are tried again: a refusal is the answer.
    return await this.must(async (signal) => {
      try {
        await act(signal);
        return false;
      } catch (error) {
        if (error instanceof ObjectStoreError && kinds.includes(error.kind)) return true;
        throw error;
      }
    });
  }

  async upload(key: string): Promise<string> {
    const id = await this.must((signal) => this.store.createUpload(key, { metadata: {} }, signal));
    this.#uploads.push({ key, id });
    return id;
  }

  /** Removes what the probe left, as far as the store lets it; also after the run was stopped. */
  async clean(): Promise<void> {
    const { log } = this.#options;
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new DOMException("the clean-up took too long", "TimeoutError")),
      CLEAN_MS,
    );
    const { signal } = deadline;
    const removals = [
      ...this.#uploads.map(({ key, id }) => () => this.store.abortUpload(key, id, signal)),
      ...[...this.#keys].map((key) => () => this.store.delete(key, signal)),
    ];
    for (const remove of removals) {
      try {
        await remove();
      } catch (error) {
        // Completed uploads and keys never made are "not found"; the rest is a few bytes under _probe/.
        if (!(error instanceof ObjectStoreError && error.kind === "not-found")) {
          log.debug("Cannot remove a scratch object of a probe", { reason: String(error) });
        }
      }
    }
    clearTimeout(timer);
  }
}

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);

async function probePut(scratch: Scratch, verdicts: Verdicts): Promise<void> {
  const body = text("labferry probe: the right bytes");
  const right = await sha256Base64(body);
  const wrong = await sha256Base64(text("labferry probe: other bytes"));
  const put = (key: string, sha256: string, ifAbsent: boolean) => (signal: AbortSignal) =>
    scratch.store.put(key, body, { metadata: {}, sha256, ifAbsent }, signal);
  // The right checksum first: a store that refuses everything proves nothing by refusing the wrong one.
  const kept = scratch.key();
  const echo = await scratch.must(put(kept, right, false));
  const refused = await scratch.refuses(put(scratch.key(), wrong, false), "bad-digest", "bad-request");
  verdicts["put-checksum"] = refused && echo.sha256 === right;
  verdicts["put-if-absent"] = await scratch.refuses(put(kept, right, true), "precondition");
}

async function probeMultipart(scratch: Scratch, verdicts: Verdicts): Promise<void> {
  const { store } = scratch;
  const body = text("labferry probe: the only part");
  const right = await sha256Base64(body);
  const wrong = await sha256Base64(text("labferry probe: another part"));
  const key = scratch.key();
  const send = (id: string, sha256: string) => (signal: AbortSignal) =>
    store.uploadPart(key, id, { number: 1, body, sha256 }, signal);
  const complete = (id: string, parts: PartRef[], sha256: string, ifAbsent: boolean) => (signal: AbortSignal) =>
    store.completeUpload(key, id, parts, { sha256, ifAbsent }, signal);

  const refusedId = await scratch.upload(key);
  const partRefused = await scratch.refuses(send(refusedId, wrong), "bad-digest", "bad-request");
  const echo = await scratch.must(send(refusedId, right));
  verdicts["part-checksum"] = partRefused && echo.sha256 === right;
  verdicts["part-md5-etag"] = echo.etag === md5Hex(body);
  const refused = await scratch.refuses(
    complete(refusedId, [{ number: 1, etag: echo.etag, sha256: right }], compositeSha256([wrong]), false),
    "bad-digest",
    "bad-request",
  );

  // The right composite must be taken, else the refusal above meant nothing; and the object is needed below.
  const takenId = await scratch.upload(key);
  const taken = await scratch.must(send(takenId, right));
  const done = await scratch.must(
    complete(takenId, [{ number: 1, etag: taken.etag, sha256: right }], compositeSha256([right]), false),
  );
  const seen = done.sha256 ?? (await scratch.must((signal) => store.head(key, signal)))?.sha256;
  verdicts["complete-checksum"] = refused && seen === compositeSha256([right]);

  const secondId = await scratch.upload(key);
  const second = await scratch.must(send(secondId, right));
  verdicts["complete-if-absent"] = await scratch.refuses(
    complete(secondId, [{ number: 1, etag: second.etag, sha256: right }], compositeSha256([right]), true),
    "precondition",
  );
}
