/**
 * Keeps the outbox small where nobody can be told for long: of very many events of a kind one message tells. Nothing is
 * given up for its age, since a clock that was wrong for one run would make all that waits old (SAFETY S13).
 * @module
 */
import { ulid } from "@std/ulid";
import type { Outbox, OutboxEvent } from "../journal/journal.ts";
import type { Json } from "../json.ts";
import type { Logger } from "../ports.ts";

/** Of more waiting events of a name than these, one message tells. */
export const TOLD_APART = 200;
/** How many of them it names. */
const NAMED = 20;

/** Puts one event in the place of very many. Returns how many wait. */
export async function tidyOutbox(
  outbox: Outbox,
  { now, log }: { now: number; log: Pick<Logger, "info"> },
): Promise<number> {
  const at = new Date(now).toISOString();
  let all = 0;
  for (const [event, count] of await outbox.waiting()) {
    all += count;
    if (count <= TOLD_APART) continue;
    const one = await outbox.condense(event, { over: TOLD_APART, first: NAMED, at, by: (given) => oneFor(given, now) });
    if (one === undefined) continue;
    all -= count - 1;
    log.info(`one message tells of ${count} ${event} events that waited`);
  }
  return all;
}

/** One event that stands for many; some of them may do so themselves. */
function oneFor(
  { count, first, last }: { count: number; first: OutboxEvent[]; last: OutboxEvent },
  now: number,
): OutboxEvent {
  const many = first.map(({ data }) => numberIn(data, "stands_for") ?? 1);
  const total = count + many.reduce((sum, each) => sum + each - 1, 0);
  const items = first.flatMap(({ at, data }) => {
    const { items, message } = fieldsOf(data);
    if (numberIn(data, "stands_for") !== undefined && Array.isArray(items)) return items;
    return [{ name: at, message: typeof message === "string" ? message : "" }];
  });
  const [{ at: firstAt, data }] = first;
  const { started_at: since = firstAt, host } = fieldsOf(data);
  return {
    id: ulid(now),
    event: last.event,
    at: last.at,
    data: {
      message: `${total} events of this kind could not be told of one by one; the first of them are below`,
      started_at: since,
      last_at: last.at,
      stands_for: total,
      items: items.slice(0, NAMED),
      ...host === undefined ? {} : { host },
    },
  };
}

function fieldsOf(data: Json): { [key: string]: Json | undefined } {
  return data !== null && typeof data === "object" && !Array.isArray(data) ? data : {};
}

function numberIn(data: Json, key: string): number | undefined {
  const value = fieldsOf(data)[key];
  return typeof value === "number" ? value : undefined;
}
