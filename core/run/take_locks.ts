/** The locks of a run (SAFETY S10, S11): taken by a real run, looked at by a dry one. @module */
import { PipelineError } from "../errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { checkLocks } from "../safety/check_locks.ts";
import { RunLock } from "../safety/lock_file.ts";
import { EVICTION } from "./backups.ts";
import type { Foresight } from "./foresight.ts";
import type { RunState } from "./run_state.ts";

/**
 * Takes the run's own lock at every folder place, then judges the locks that earlier runs left.
 * @throws {PipelineError} `lock/run-held` (exit code 2), `lock/held`, `lock/found`, `lock/unprovable`, `lock/untold` (exit code 1)
 */
export async function takeLocks(
  run: RunState,
  { stack, locks }: { stack: AsyncDisposableStack; locks: Map<string, RunLock> },
): Promise<void> {
  const { fs, clock } = run.services;
  for (const root of folderPlaces(run)) {
    // Looked at first: the space that is set aside is another run's while that one holds the place.
    if (run.isOverBackups) await RunLock.check(fs, root.path, askerOf(run));
    const startedAt = new Date(clock.now()).toISOString();
    const runName = `${run.pipeline} ${run.runId}`;
    const lock = await run.smallWrite(() => RunLock.acquire(fs, root.path, { ...askerOf(run), startedAt, runName }));
    stack.defer(() => run.left.release(lock));
    locks.set(root.id, lock);
  }
  // Behind the run's own lock: another run at work is told as such, not by the lock of the study it works on.
  if (locksStudies(run)) await checkLocks(fs, run.source.path, askerOf(run));
}

/** Tells which locks would stop a real run, in the order it would meet them. Takes none and writes nothing. */
export async function foreseeLocks(run: RunState, foresight: Foresight): Promise<void> {
  const { fs, log } = run.services;
  const look = async (check: Promise<unknown>) => {
    try {
      await check;
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      if (error.code.startsWith("lock/") && error.code !== "lock/untold") foresight.surely(error.message, error);
      // Who may only read cannot always look at a lock; that says nothing of a run.
      else log.warn(error.message, { code: error.code });
    }
  };
  for (const root of folderPlaces(run)) {
    if (run.isVisible(root.id)) await look(RunLock.check(fs, root.path, askerOf(run)));
  }
  if (locksStudies(run)) await look(checkLocks(fs, run.source.path, askerOf(run)));
}

function folderPlaces({ request, isOverBackups, source }: RunState): { id: string; path: string }[] {
  // The place that is freed is one that others write: a run over it keeps them out.
  if (isOverBackups) return [{ id: EVICTION.id, path: source.path }];
  return request.compiled.places.flatMap((place) =>
    place.kind === "directory" ? [{ id: place.id, path: place.root }] : []
  );
}

function askerOf({ services, request, staleLocks }: RunState) {
  const { host, processes, log } = services;
  return { host, pid: Deno.pid, processes, staleLocks, log, signal: request.abort };
}

function locksStudies({ request }: RunState): boolean {
  return request.compiled.stages.some((stage) => givesLock(stage));
}

function givesLock(stage: CompiledStage): boolean {
  return stage.facts.gives?.some((fact) => fact.fact === "locked") ?? false;
}
