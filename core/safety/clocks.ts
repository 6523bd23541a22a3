/**
 * Clocks (SAFETY S5 e, S13): a destroy needs a clock that agrees with the journal's past and with every other place's own.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import type { Place } from "../places/place.ts";
import type { Clock } from "../ports.ts";

/** How far (ms) our clock may lie behind the journal: stamps of one run are not taken at one instant. */
const MAX_BEHIND_MS = 2000;

/** How far (ms) our clock may be off a place's. */
export const MAX_OFFSET_MS = 5 * 60_000;

/** Something that tells the time: a place, or the root that is freed. */
type Timed = Pick<Place, "id" | "kind" | "now">;

/**
 * Throws `destroy/clock` when our clock lies behind the journal, is over five minutes off a place's, or a place does not
 * tell the time. `victim`: the root that is freed, where its files are stamped by a clock of its own.
 * @returns how far (ms) our clock may be off the victim's
 */
export async function checkClocks(
  services: { clock: Clock; journal: Journal; survivors: readonly Timed[]; victim?: Timed },
  signal: AbortSignal,
): Promise<number> {
  const latest = await services.journal.latestInstant();
  const now = services.clock.now();
  if (latest - now > MAX_BEHIND_MS) {
    throw new PipelineError(
      "destroy/clock",
      `Cannot remove anything: this host's clock says ${stamp(now)}, but the journal was written at ${stamp(latest)}`,
      {
        hint:
          "Set the clock right (a time server), then run again. Nothing was removed. If this clock is right and it " +
          "was wrong when the journal was written, move journal.db, with journal.db-wal and journal.db-shm beside it, " +
          "out of the state folder: everything is proved again. Messages that wait in it are not sent then, and which " +
          "mark each place had is learnt anew.",
      },
    );
  }
  let victimSkewMs = 0;
  for (const place of [...services.survivors, ...services.victim ? [services.victim] : []]) {
    const before = services.clock.now();
    const theirs = await place.now(signal);
    const ours = services.clock.now();
    if (theirs === null) throw tellsNoTime(place);
    // The place told its time at some moment of the asking, which may take long.
    if (theirs >= before - MAX_OFFSET_MS && theirs <= ours + MAX_OFFSET_MS) {
      if (place === services.victim) victimSkewMs = skewOf(theirs, { before, after: ours });
      continue;
    }
    throw new PipelineError(
      "destroy/clock",
      `Cannot remove anything: this host's clock says ${stamp(ours)}, the clock of ${place.id} says ${stamp(theirs)}`,
      { hint: "Set both clocks right (a time server), then run again. Nothing was removed." },
    );
  }
  return victimSkewMs;
}

/** How far (ms) a clock may be off the one that said `before` and `after` around its answer. */
export function skewOf(theirs: number, { before, after }: { before: number; after: number }): number {
  return Math.max(Math.abs(theirs - before), Math.abs(theirs - after));
}

function tellsNoTime(place: Timed): PipelineError {
  const [why, hint] = place.kind === "objects"
    ? [
      "the answers of its store have no Date",
      "Have the proxy before the store pass its Date header on, then run again.",
    ]
    : ["its file system gives a file no time of change", "Mount it so that files have times, then run again."];
  return new PipelineError(
    "destroy/clock",
    `Cannot remove anything: ${place.id} does not tell the time (${why}), wanted a clock to compare this host's with`,
    { hint: `${hint} Nothing was removed.` },
  );
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}
