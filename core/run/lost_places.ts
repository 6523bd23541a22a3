/** Places that are lost in the middle of a run: one that nothing reaches any more fails every item, not one. @module */
import { PipelineError } from "../errors.ts";
import type { Place } from "../places/place.ts";
import { EVICTION } from "./backups.ts";
import { lookingSignal } from "./open_places.ts";
import type { ReportError } from "./report.ts";
import type { RunState } from "./run_state.ts";

/** What a store says when it may be away, or closed to us, as a whole. */
const OF_STORES: ReadonlySet<string> = new Set([
  "s3/unreachable",
  "s3/throttled",
  "s3/denied",
  "s3/no-bucket",
  "s3/clock-skew",
]);
const OF_FOLDERS: ReadonlySet<string> = new Set(["io/lost", "io/gone", "io/failing", "io/denied", "io/busy"]);

/**
 * The error that ends the run when an item failed because a place is gone; undefined when that was the item's own fault
 * (SAFETY S19). Who is asked is the place itself, once more with all patience, so that one bad object stops nothing.
 */
export async function lostPlace(run: RunState, { code }: ReportError): Promise<PipelineError | undefined> {
  const { dryRun } = run.request;
  const looking = lookingSignal(run.request);
  // A dry run over studies plans also for what is not there yet; without what keeps the backups there is nothing to plan.
  if (dryRun && !run.isOverBackups) return undefined;
  for (const { id, where, ask } of suspects(run, { code, signal: looking })) {
    // No further item is taken up: what became of this one is enough.
    if (looking.aborted) return undefined;
    try {
      await ask();
    } catch (cause) {
      looking.throwIfAborted();
      return lost(id, where, cause);
    }
  }
  return undefined;
}

interface Suspect {
  id: string;
  where: string;
  ask: () => Promise<unknown>;
}

function suspects(run: RunState, { code, signal }: { code: string; signal: AbortSignal }): Suspect[] {
  const of = (kind: Place["kind"]) => run.places.filter((place) => place.kind === kind && run.isVisible(place.id));
  if (OF_STORES.has(code)) {
    return of("objects").map((place) => ({ id: place.id, where: place.uuid, ask: () => place.now(signal) }));
  }
  if (!OF_FOLDERS.has(code)) return [];
  const folders = of("directory").map((place) => ({ id: place.id, where: place.id, ask: () => place.check(signal) }));
  const source = {
    id: run.isOverBackups ? EVICTION.id : "source",
    where: run.source.path,
    ask: () => run.source.check(),
  };
  return [source, ...folders];
}

function lost(id: string, where: string, cause: unknown): PipelineError {
  if (cause instanceof PipelineError && cause.stopsRun !== undefined) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  return new PipelineError("run/place-lost", `Cannot go on: ${id} (${where}) is lost midway: ${said}`, {
    cause,
    stopsRun: 1,
    hint:
      "Every further item would have failed in the same way. Bring it back and run again: what is finished is kept.",
  });
}
