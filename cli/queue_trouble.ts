/** What was logged, as events of the toolkit's own health. @module */
import { toOutboxEvent } from "../core/events/events.ts";
import type { OutboxEvent } from "../core/journal/journal.ts";
import type { CommandContext } from "./command.ts";
import type { Trouble } from "./notices.ts";
import { makeStateDir } from "./project.ts";
import { openOwnJournal } from "./services.ts";

/** The events that tell of lines of the log, each under the id of its line. */
export function eventsOf(
  trouble: readonly Trouble[],
  { terminal: { host } }: { terminal: Pick<CommandContext["terminal"], "host"> },
): OutboxEvent[] {
  return trouble.map(({ id, at, level, message, count }) =>
    toOutboxEvent({ event: "toolkit_error", at, data: { message, level, times: count, host } }, id)
  );
}

/**
 * Queues events, at one go. Of one that is queued already, and that nobody was told of yet, it is told what it says now,
 * as how often its line came until now.
 */
export async function queueAll(
  events: readonly OutboxEvent[],
  { locations }: Pick<CommandContext, "locations">,
): Promise<void> {
  await makeStateDir(locations.journalFile);
  await using journal = await openOwnJournal(locations);
  await journal.outbox.putMany(events);
}
