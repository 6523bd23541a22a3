/**
 * The journal port: the engine's durable working memory. It saves work and carries evidence between runs; it never
 * permits a destroy by itself (SAFETY S5). Asynchronous, so that PostgreSQL or documents can stand in for SQLite.
 * @module
 */
import type { Evidence, EvidenceTotals } from "../evidence.ts";
import type { Json } from "../json.ts";

/** Evidence of one incarnation at its places. Iteration is in byte order of the path and streams. */
export interface EvidenceStore {
  /** Inserts or replaces, in one durable transaction. */
  put(incarnation: string, evidence: readonly Evidence[]): Promise<void>;
  get(incarnation: string, place: string, path: string): Promise<Evidence | undefined>;
  /** Evidence of many paths at one place; paths without evidence are absent from the map. */
  getMany(incarnation: string, place: string, paths: readonly string[]): Promise<Map<string, Evidence>>;
  list(incarnation: string, place: string, options?: { level?: Evidence["level"] }): AsyncIterable<Evidence>;
  totals(incarnation: string, place: string): Promise<EvidenceTotals>;
  /** Places that have any evidence of this incarnation, sorted. */
  places(incarnation: string): Promise<string[]>;
  /** Forgets evidence: of one path, of a place, or of everything of the incarnation. */
  remove(incarnation: string, place?: string, paths?: readonly string[]): Promise<void>;
}

/** Finished steps, for stages that may skip them after a restart. */
export interface StepStore {
  isFinished(incarnation: string, stage: string, step: string): Promise<boolean>;
  finish(incarnation: string, stage: string, step: string): Promise<void>;
  checkpoint(incarnation: string, stage: string, step: string, value: Json): Promise<void>;
  readCheckpoint(incarnation: string, stage: string, step: string): Promise<Json | undefined>;
  /** Forgets the checkpoint of a step that ended; what is finished stays so. */
  forgetCheckpoint(incarnation: string, stage: string, step: string): Promise<void>;
  remove(incarnation: string): Promise<void>;
}

/** An open destroy: recorded before the first unlink, closed when done or withdrawn (SAFETY S4). */
export interface Intent {
  incarnation: string;
  place: string;
  item: string;
  openedAt: string;
}

export interface IntentStore {
  open(intent: Intent): Promise<void>;
  get(incarnation: string, place: string): Promise<Intent | undefined>;
  close(incarnation: string, place: string): Promise<void>;
}

/** A multipart upload that may be taken up again after a restart. */
export interface OpenUpload {
  /** `ObjectStore.identity`. */
  store: string;
  key: string;
  uploadId: string;
  partSize: number;
  incarnation: string;
  /** Metadata the object gets, fixed when the upload began; a null hash is not known. */
  sha256: string | null;
  mtime: string | null;
  startedAt: string;
  /** When a run last went on with it. */
  usedAt: string;
}

export interface UploadStore {
  put(upload: OpenUpload): Promise<void>;
  /** Says that the upload `uploadId` is still gone on with; of another upload, or none, nothing is changed. */
  touch(upload: Pick<OpenUpload, "store" | "key" | "uploadId">, at: string): Promise<void>;
  get(store: string, key: string): Promise<OpenUpload | undefined>;
  list(store: string, incarnation?: string): Promise<OpenUpload[]>;
  remove(store: string, key: string): Promise<void>;
}

/** What a store was seen to do when probed (SAFETY S8): operation to verdict, with the time of the probe. */
export interface ProbeStore {
  get(store: string, operation: string): Promise<{ holds: boolean; at: string } | undefined>;
  set(store: string, operation: string, holds: boolean, at: string): Promise<void>;
}

/** Something people may want to hear of. */
export interface OutboxEvent {
  /** Stable over repetitions. */
  id: string;
  /** Name of the event, and so of its list of recipients. */
  event: string;
  /** ISO 8601, UTC. */
  at: string;
  /** What it says. */
  data: Json;
}

/** What stands for many events. */
export interface Condense {
  over: number;
  /** How many of the first are handed to `by`. */
  first: number;
  at: string;
  by(waiting: { count: number; first: OutboxEvent[]; last: OutboxEvent }): OutboxEvent;
}

export interface Outbox {
  enqueue(event: OutboxEvent): Promise<void>;
  /** The same of several, in their order: all of them or, should it fail, none. */
  enqueueMany(events: readonly OutboxEvent[]): Promise<void>;
  /** As `enqueueMany`; an event that is queued already and was not sent yet says from now on what is given. */
  putMany(events: readonly OutboxEvent[]): Promise<void>;
  /** Events not yet sent, in the order they were queued: of one name, behind one of them, at most so many. */
  pending(options?: { event?: string; after?: string; limit?: number }): Promise<OutboxEvent[]>;
  hasPending(): Promise<boolean>;
  /** How many wait, by name. */
  waiting(): Promise<Map<string, number>>;
  /**
   * Where more than `over` events of a name wait, one takes the place of them all: the one that `by` makes of their
   * number, the first and the last of them. Returns it.
   */
  condense(event: string, options: Condense): Promise<OutboxEvent | undefined>;
  /** The other configs that queued, before an instant (ISO 8601), what nobody was told of yet; sorted. */
  othersBefore(instant: string): Promise<string[]>;
  /** Takes over what such a config queued before an instant: this config tells of it from now on. Returns how many. */
  adopt(config: string, instant: string): Promise<number>;
  /** Takes over what an older version queued, for no config: else each would tell of it that finds it not all told. */
  adoptNobodys(): Promise<void>;
  markSent(id: string, at: string): Promise<void>;
}

export interface CursorStore {
  get(name: string): Promise<Json | undefined>;
  set(name: string, value: Json): Promise<void>;
}

/** When something was last dealt with, for cooldowns and for telling repetitions. Times in ms since 1970. */
export interface SeenStore {
  get(key: string): Promise<number | undefined>;
  /** Replaces the time of a key, which is forgotten after `keepMs`. */
  mark(key: string, at: number, keepMs: number): Promise<void>;
  /** The same of several: all of them or, should it fail, none. */
  markMany(keys: readonly { key: string; keepMs: number }[], at: number): Promise<void>;
}

/** Exclusive use of a name by compare-and-set, with a lease that must be renewed. */
export interface ClaimStore {
  /** True when `holder` has the claim now: it was free, lapsed at `now`, or already the holder's. */
  claim(name: string, holder: string, lease: { now: number; ms: number }): Promise<boolean>;
  /** Who has the claim, lapsed or not; undefined when it is free. */
  holder(name: string): Promise<string | undefined>;
  heartbeat(name: string, holder: string, lease: { now: number; ms: number }): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}

export interface RunRow {
  id: string;
  pipeline: string;
  startedAt: string;
  finishedAt: string | null;
  exitCode: number | null;
}

export interface Journal extends AsyncDisposable {
  readonly evidence: EvidenceStore;
  readonly steps: StepStore;
  readonly intents: IntentStore;
  readonly uploads: UploadStore;
  readonly probes: ProbeStore;
  readonly outbox: Outbox;
  readonly cursors: CursorStore;
  readonly claims: ClaimStore;
  readonly seen: SeenStore;
  startRun(run: Omit<RunRow, "finishedAt" | "exitCode">): Promise<void>;
  /** `clock`: whether the stamp may count as an instant the journal has seen; a clock found wrong leaves none. */
  finishRun(id: string, finishedAt: string, exitCode: number, options?: { clock?: "right" | "wrong" }): Promise<void>;
  /** The latest instant the journal has seen (ms since 1970); a clock behind it permits no destroy (SAFETY S5). */
  latestInstant(): Promise<number>;
  /** Members of a group (fan-in), for stages that wait for several items. */
  group(name: string): Promise<{ item: string; data: Json }[]>;
  joinGroup(name: string, item: string, data: Json): Promise<void>;
}
