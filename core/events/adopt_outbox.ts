/**
 * What a config cannot tell people of is told by another config of its state folder: its file may have been moved. Not
 * by the clock alone, since one that is ahead for one run would make all that waits old (SAFETY S13).
 * @module
 */
import type { Journal } from "../journal/journal.ts";
import type { Logger } from "../ports.ts";

/** How long (30 days, in ms) a config has for telling of its own events. */
export const OWN_MS = 30 * 86_400_000;

/** Under what the journal keeps since when events of which config were found old: `{ config: ms since 1970 }`. */
const FOUND_OLD = "outbox:found-old";

/**
 * Takes over events that another config has told nobody of for 30 days, where its file is gone; where it is still there,
 * 30 days after they were first found so old. What an older version queued, for no config, is the first one's to come.
 */
export async function adoptOutbox(
  { outbox, cursors }: Pick<Journal, "outbox" | "cursors">,
  { now, log, isGone }: { now: number; log: Pick<Logger, "info">; isGone(config: string): Promise<boolean> },
): Promise<void> {
  await outbox.adoptNobodys();
  const old = new Date(now - OWN_MS).toISOString();
  const configs = await outbox.othersBefore(old);
  // Every command asks: nearly always there is none, and nothing is to wait for another process or the disk.
  if (configs.length === 0) return;
  const known = (await cursors.get(FOUND_OLD) ?? {}) as { [config: string]: number };
  const found: { [config: string]: number } = {};
  const ripe: string[] = [];
  for (const config of configs) {
    // A time in the future was noted by a clock that was wrong.
    const since = known[config] <= now ? known[config] : now;
    if (now - since >= OWN_MS || await isGone(config)) ripe.push(config);
    else found[config] = since;
  }
  if (JSON.stringify(found) !== JSON.stringify(known)) await cursors.set(FOUND_OLD, found);
  let adopted = 0;
  for (const config of ripe) adopted += await outbox.adopt(config, old);
  if (adopted === 0) return;
  const [events, days] = [adopted === 1 ? "1 event" : `${adopted} events`, OWN_MS / 86_400_000];
  log.info(`telling of ${events} that another config of this state folder could not tell of in ${days} days`);
}
