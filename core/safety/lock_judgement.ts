/**
 * What a lock file that is found means (SAFETY S10): a pure decision over its text, the OS lock and the processes.
 * @module
 */
import type { ProcessLife } from "../io/process_info.ts";

/** The lock file's JSON, for people and for judging a lock that was left. Time: ISO 8601 UTC. */
export interface LockHolder {
  host: string;
  pid: number;
  started_at: string;
  run_name: string;
}

/**
 * `dead`: the holder is proved gone and the lock may be reclaimed. `unprovable`: a person must look. `untold`: the system
 * does not tell this account whether the lock is held; one that may write the file may find any of the others.
 */
export type LockState = "free" | "held" | "dead" | "unprovable" | "untold";

export interface LockInspection {
  state: LockState;
  holder?: LockHolder;
  /** For people. */
  why: string;
  /** Set when all that is left of the holder is a program it started, by whose end the lock is free. */
  isChild?: true;
}

/** A process that began this much later than the lock's time is another one; clocks are not finer, in ms. */
const START_SLACK_MS = 5_000;

/** Reads a lock's JSON; undefined when it is none. */
export function parseLockHolder(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    if (typeof value?.host !== "string" || value.host === "" || !Number.isInteger(value.pid)) return undefined;
    return {
      host: value.host,
      pid: value.pid as number,
      started_at: typeof value.started_at === "string" ? value.started_at : "an unknown time",
      run_name: typeof value.run_name === "string" ? value.run_name : "",
    };
  } catch {
    return undefined; // not JSON: the caller says what it does with an unknown holder
  }
}

export function formatLockHolder(holder: LockHolder): string {
  const { host, pid, started_at, run_name } = holder;
  return `${JSON.stringify({ host, pid, started_at, run_name })}\n`;
}

/** Windows host names know no case. */
export function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** `scope-1, process 42, since 2026-01-02T03:04:05Z (backup 01J…)` */
export function describeHolder(holder: LockHolder): string {
  const run = holder.run_name === "" ? "" : ` (${holder.run_name})`;
  return `${holder.host}, process ${holder.pid}, since ${holder.started_at}${run}`;
}

/** Whether the text was never finished: a holder works only after its JSON is on the medium. */
function isUnfinished(text: string): boolean {
  return text === "" || /^\0+$/.test(text);
}

/**
 * Judges a lock file. `osLock`: whether this process could take the OS lock on it. `life`: what the system says of the
 * holder's process, asked for when the holder is of this host.
 */
export function judgeLock(
  found: { osLock: boolean; text: string; life?: ProcessLife },
  self: { host: string; pid: number },
): LockInspection {
  const holder = parseLockHolder(found.text);
  if (!found.osLock) {
    return { state: "held", holder, why: holder ? `held by ${describeHolder(holder)}` : "held by another process" };
  }
  if (isUnfinished(found.text)) return { state: "dead", why: "its holder ended before it had begun" };
  if (holder === undefined) return { state: "unprovable", why: "its text names no host" };
  const by = describeHolder(holder);
  if (!sameHost(holder.host, self.host)) {
    return { state: "unprovable", holder, why: `its holder is on another host: ${by}` };
  }
  if (found.life?.child !== undefined) {
    const { program, pid } = found.life.child;
    const why = `its holder has ended, but "${program}", which it started, is at work as process ${pid}: ${by}`;
    return { state: "unprovable", holder, why, isChild: true };
  }
  // This process could take the OS lock, so it is not the one that holds it: the number was used again.
  if (holder.pid === self.pid) return { state: "dead", holder, why: `its holder has ended: ${by}` };
  if (found.life?.alive === false) return { state: "dead", holder, why: `its holder has ended: ${by}` };
  const since = Date.parse(holder.started_at);
  if (found.life?.startedAtMs !== undefined && found.life.startedAtMs > since + START_SLACK_MS) {
    return { state: "dead", holder, why: `its holder has ended and another process has its number: ${by}` };
  }
  return { state: "unprovable", holder, why: `a process of its number is alive: ${by}` };
}
