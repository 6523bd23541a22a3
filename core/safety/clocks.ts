/**
 * Clocks (SAFETY S5 e, S13): a destroy needs a clock that agrees with the journal's past and with the stores' own.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import { MAX_OFFSET_MS } from "../objects/clock_skew.ts";
import type { Place } from "../places/place.ts";
import type { Clock } from "../ports.ts";

/** How far (ms) our clock may lie behind the journal: stamps of one run are not taken at one instant. */
const MAX_BEHIND_MS = 2000;

/** Throws `destroy/clock` when our clock lies behind the journal or is over five minutes off a store's. */
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
    const theirs = await place.now?.(signal) ?? null;
    if (theirs === null) continue;
    const ours = services.clock.now();
    if (Math.abs(ours - theirs) <= MAX_OFFSET_MS) continue;
    throw new PipelineError(
      "destroy/clock",
      `Cannot remove anything: this host's clock says ${stamp(ours)}, the clock of ${place.id} says ${stamp(theirs)}`,
      { hint: "Set both clocks right (a time server), then run again. Nothing was removed." },
    );
  }
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}
