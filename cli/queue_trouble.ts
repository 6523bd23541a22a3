/** What was logged, as events of the toolkit's own health. @module */
import { toOutboxEvent } from "../core/events/events.ts";
import type { NewEvent } from "../core/events/events.ts";
import type { CommandContext } from "./command.ts";
import type { Trouble } from "./notices.ts";
import { makeStateDir } from "./project.ts";
import { openOwnJournal } from "./services.ts";

type Context = Pick<CommandContext, "terminal" | "locations">;

/** The events that tell of lines of the log. */
export function newEvents(trouble: readonly Trouble[], { terminal: { host } }: Pick<Context, "terminal">): NewEvent[] {
  return trouble.map(({ at, level, message, count }) => {
    return { event: "toolkit_error", at, data: { message, level, times: count, host } };
  });
}

/**
 * Queues lines of the log, at one go. Of one that is queued already, and that nobody was told of yet, it is told how
 * often it came until now.
 */
export async function queueTrouble(trouble: readonly Trouble[], context: Context): Promise<void> {
  const { locations } = context;
  const events = newEvents(trouble, context).map((event, at) => toOutboxEvent(event, trouble[at].id));
  await makeStateDir(locations.journalFile);
  await using journal = await openOwnJournal(locations);
  await journal.outbox.putMany(events);
}
