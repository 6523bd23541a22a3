/**
 * The ports of stages that take events, and of those that take any item: no root, no place, no ledger, no destroy.
 * As for trees, what `plan` gets can only look.
 * @module
 */
import type { Item, Json, Notifier } from "./contract.ts";
import type { OutboxEvent } from "./journal/journal.ts";

import type { ExecOptions, ItemContext, ItemFailure } from "./ports.ts";

/** Given to `plan` of a stage that takes any item: what trees and events have in common. */
export interface AnyReadContext extends ItemContext {
  /** The item that is planned for. */
  readonly item: Item;
  /** Whether this run only plans. */
  readonly dryRun: boolean;
  /** As for trees: work is repeated, no condition is waived. */
  readonly force: boolean;
  /** The stage's own id. */
  readonly stage: string;
  /** Why the item failed; only in `[[on_item_failed]]`. */
  readonly failure?: ItemFailure;
}

/** Given to `apply` of a stage that takes any item. */
export interface AnyWriteContext extends AnyReadContext {
  /** Runs a child process. @throws {PipelineError} `hook/failed` on a non-zero exit, `hook/timeout` */
  exec(options: ExecOptions): Promise<void>;
  /** Saves progress within a step, durably. */
  checkpoint(value: Json): Promise<void>;
}

/** Given to `plan` of a stage that takes events. */
export interface EventReadContext extends AnyReadContext {
  /**
   * When another item last left this key (ms since 1970); undefined when none did. A time in the future is no answer: a
   * clock that was wrong must not silence an alert (SAFETY S13).
   */
  seen(key: string): Promise<number | undefined>;
  /** What an earlier run of this item saved in a step of this stage with `checkpoint`; forgotten once the item has ended. */
  saved(step: string): Promise<Json | undefined>;
  /** The text of a file, read anew each time; undefined when there is none. @throws {PipelineError} `io/…` */
  readText(path: string): Promise<string | undefined>;
  /** Whether a notifier sends to one address at a time. @throws {PipelineError} `registry/unknown-plugin` */
  addressed(notifier: string): boolean;
}

/** Given to `apply` of a stage that takes events. */
export interface EventWriteContext extends EventReadContext, AnyWriteContext {
  /** Adds to the item's data, for the stages behind. A key that is there is replaced. */
  amend(data: { [key: string]: Json }): void;
  /**
   * Leaves a key for `seen` once the item has ended well, for `keepMs`. An item that failed leaves none, so that what
   * was not delivered is not taken for delivered; with `partly`, it leaves the key if a stage behind did anything.
   */
  remember(key: string, keepMs: number, options?: { partly?: boolean }): void;
  /**
   * Puts an event into the outbox, where it is before the stage has ended; the notify pipeline delivers it. `key` makes
   * a repetition harmless; without one it is the item and the stage. Does nothing where notifications are switched off;
   * resolves to whether it is queued. An item of which anything was not queued leaves no keys: nobody has heard of it.
   */
  emit(event: { event: string; data: Json; key?: string }): Promise<boolean>;
  /**
   * A notifier plugin opened with these options, once per run.
   * @throws {PipelineError} `registry/unknown-plugin`, `options/bad-value`, or what opening it throws
   */
  notifier(name: string, options: { [key: string]: Json }): Promise<Notifier>;
}

export type { OutboxEvent };

/** A file that another program goes on writing. It stays open when it is renamed. */
export interface FollowedFile extends AsyncDisposable {
  /** Tells this file from another that takes its name; the same after a rename and after a restart. */
  readonly identity: string;
  /** Bytes, as they are now. */
  size(): Promise<number>;
  /** Fills the buffer from byte `at` on. Returns how many bytes there were; fewer than asked for only at the end. */
  read(at: number, buffer: Uint8Array): Promise<number>;
}

/**
 * Looks at files that other programs write, and never holds them back from renaming or removing one. What is not there
 * is undefined. @throws {PipelineError} `io/…` for everything else
 */
export interface FollowedFiles {
  /** Opens the file that stands at this path now. */
  open(path: string): Promise<FollowedFile | undefined>;
  /** The identity of what stands at this path now. */
  identity(path: string): Promise<string | undefined>;
  /** The file of this identity among the neighbours of `path`: where a rotation has put it. */
  find(path: string, identity: string): Promise<FollowedFile | undefined>;
  /**
   * The file that a further rotation has put beside `path` since this one was last written: the oldest of those that
   * began and ended later than it. Not what stands under the path itself.
   */
  after(path: string, file: FollowedFile): Promise<FollowedFile | undefined>;
}

/** Given to a source of events while it is drawn from: it looks. */
export interface EventSourceContext extends ItemContext {
  /** Whether this run only plans. */
  readonly dryRun: boolean;
  /**
   * Events that were not sent yet, in the order they were queued, a few in memory at a time. What is too old is given
   * up first, and of very many of a name one event tells.
   */
  pending(): AsyncIterable<OutboxEvent>;
  /** Files that other programs write. */
  readonly files: FollowedFiles;
  /** A value this pipeline's source kept under this name with `setCursor`. */
  cursor(name: string): Promise<Json | undefined>;
  /**
   * Takes a name for this run, so that two runs do not do the same work; false while another has it. It is renewed as
   * long as the run goes on. That of a process of this host that died is free at once, any other a minute later.
   * Whether the source then waits or refuses is for it to say.
   */
  claim(name: string): Promise<boolean>;
}

/** Given to `ack` of a source of events: moves on what it reads from. */
export interface EventAckContext extends EventSourceContext {
  /** Takes an event out of the outbox. */
  markSent(id: string): Promise<void>;
  /** Keeps a value under this name, durably, for `cursor`. */
  setCursor(name: string, value: Json): Promise<void>;
}
