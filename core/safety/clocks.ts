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
const MAX_OFFSET_MS = 5 * 60_000;

/**
 * Throws `destroy/clock` when our clock lies behind the journal, is over five minutes off a place's, or a place does not
 * tell the time.
 */
export async function checkClocks(
  services: { clock: Clock; journal: Journal; survivors: readonly Place[] },
  signal: AbortSignal,
): Promise<void> {
  const latest = await services.journal.latestInstant();
  const now = services.clock.now();
  if (latest - now > MAX_BEHIND_MS) {
    throw new PipelineError(
      "destroy/clock",
      `Cannot remove anything: this host's clock says ${stamp(now)}, but the journal was written at ${stamp(latest)}`,
      {
        hint:
          "Set the clock right (a time server), then run again. Nothing was removed. If this clock is right and it " +
          "was wrong when the journal was written, move journal.db out of the state folder: everything is proved again.",
      },
    );
  }
  for (const place of services.survivors) {
    const before = services.clock.now();
    const theirs = await place.now(signal);
    const ours = services.clock.now();
    if (theirs === null) throw tellsNoTime(place);
    // The place told its time at some moment of the asking, which may take long.
    if (theirs >= before - MAX_OFFSET_MS && theirs <= ours + MAX_OFFSET_MS) continue;
    throw new PipelineError(
      "destroy/clock",
      `Cannot remove anything: this host's clock says ${stamp(ours)}, the clock of ${place.id} says ${stamp(theirs)}`,
      { hint: "Set both clocks right (a time server), then run again. Nothing was removed." },
    );
  }
}

function tellsNoTime(place: Place): PipelineError {
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
