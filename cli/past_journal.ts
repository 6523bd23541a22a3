/** Delivers events past a journal that cannot be used: read-only, damaged, or on a full disk. @module */
import type { OutboxEvent } from "../core/journal/journal.ts";
import { openMemoryJournal } from "../core/journal/sqlite.ts";
import type { LocalJournal } from "../core/journal/sqlite.ts";
import type { CommandContext } from "./command.ts";
import { count } from "./format.ts";
import { type Delivery, runNotify } from "./run_notify.ts";
import { withServices } from "./services.ts";

/** A delivery and what it needs of the command. */
type Parts = Delivery & {
  context: Pick<CommandContext, "terminal" | "locations" | "log"> & {
    logs: Pick<CommandContext["logs"], "scrubber">;
  };
};

/** Of so many events one journal in memory knows that they were told; a monitor may run for years. */
const REMEMBERED = 10_000;

/**
 * What is told past the journal, and to whom it was told already: a journal in memory, for as long as the process lives.
 * Without it each delivery would begin anew, and one address that takes nothing would have all others told again.
 */
export class PastJournal implements AsyncDisposable {
  #journal: LocalJournal | undefined;
  #taken = 0;

  /** Events that nobody was told of yet, or not all. */
  async pending(): Promise<OutboxEvent[]> {
    return await this.#journal?.outbox.pending() ?? [];
  }

  /** These are told by another now; whom they were told already is kept. */
  async release(events: readonly OutboxEvent[], at: number): Promise<void> {
    for (const { id } of events) await this.#journal?.outbox.markSent(id, new Date(at).toISOString());
  }

  /**
   * Runs the notify pipeline over these events and over what is pending; one that is known by its id is not taken twice.
   * Returns the ids of those that are still to be told, as far as anybody wants to hear of them, and why.
   */
  async deliver(
    events: readonly OutboxEvent[],
    { context, ...delivery }: Parts,
  ): Promise<{ left: Set<string>; why?: string }> {
    if (events.length === 0 && this.#journal === undefined) return { left: new Set() };
    const journal = await this.#open();
    const { outbox } = journal;
    await outbox.putMany(events);
    this.#taken += events.length;
    if (!await outbox.hasPending()) return { left: new Set() };
    return await withServices(delivery.project.registry, { dryRun: false, journal, context }, async (services) => {
      const { items, error, sent } = await runNotify(services, { ...delivery, locations: context.locations });
      if (sent > 0) context.log.info(`people were told of ${count(sent, "event")}, past the journal`);
      const left = new Set((await outbox.pending()).map(({ id }) => id));
      if (left.size === 0) return { left };
      const why = error?.message ?? items.find((item) => item.error)?.error?.message ?? "no server took it in time";
      return { left, why };
    });
  }

  async #open(): Promise<LocalJournal> {
    if (this.#taken > REMEMBERED && !await this.#journal?.outbox.hasPending()) await this[Symbol.asyncDispose]();
    return this.#journal ??= await openMemoryJournal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    this.#taken = 0;
    await journal?.[Symbol.asyncDispose]();
  }
}
