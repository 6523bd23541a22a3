/**
 * Whether a process of this host is alive, and since when: what a left lock's holder is judged by (SAFETY S10).
 * @module
 */
import process from "node:process";
import { uptime } from "node:os";

/**
 * `startedAtMs` (ms since 1970): when the process began, or an instant it surely began after. Absent: not known. `child`:
 * the process itself has ended, and this program that it started has not.
 */
export interface ProcessLife {
  alive: boolean;
  startedAtMs?: number;
  child?: { pid: number; program: string };
}

/** Asks the system about processes of this host. */
export interface ProcessLiveness {
  isAlive(pid: number): Promise<ProcessLife>;
}

/** Clock ticks a second in `/proc`: 100 on every architecture Linux runs Deno on. */
const TICKS = 100;

/** This host's processes. On Linux the start comes from `/proc`; elsewhere it is the start of the system. */
export const systemProcesses: ProcessLiveness = {
  async isAlive(pid) {
    if (!Number.isInteger(pid) || pid <= 0) return { alive: false };
    if (Deno.build.os === "linux") {
      const life = await fromProc(pid);
      if (life !== undefined) return life;
    }
    if (!exists(pid)) return { alive: false };
    return { alive: true, startedAtMs: Date.now() - uptime() * 1000 };
  },
};

/** Whether a process of this group is at work. Windows has no groups. */
export function isGroupAlive(leader: number): boolean {
  if (Deno.build.os === "windows" || !exists(-leader)) return false;
  if (Deno.build.os !== "linux") return true;
  try {
    return [...Deno.readDirSync("/proc")].some(({ name }) => /^\d+$/.test(name) && isAtWork(Number(name), leader));
  } catch {
    return true; // `/proc` is hidden: as signal 0 says
  }
}

/** Whether it is of this group and no zombie: such a one is in its group until its parent asks after it, if ever. */
function isAtWork(pid: number, group: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [state, , pgrp] = fieldsOf(stat);
    return Number(pgrp) === group && state !== "Z" && state !== "X";
  } catch {
    return false; // it has ended between the listing and the look
  }
}

/** Signal 0 asks without disturbing. A process that may not be signalled is there. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** Undefined when `/proc` does not show the process, or shows it in another way than expected. */
async function fromProc(pid: number): Promise<ProcessLife | undefined> {
  try {
    const [stat, system] = await Promise.all([Deno.readTextFile(`/proc/${pid}/stat`), Deno.readTextFile("/proc/stat")]);
    return parseProc(stat, system);
  } catch {
    return undefined; // no such process, or `/proc` is hidden: signal 0 decides
  }
}

/** Reads `/proc/<pid>/stat` with the boot time of `/proc/stat`. A zombie holds nothing and counts as dead. */
export function parseProc(stat: string, system: string): ProcessLife | undefined {
  const fields = fieldsOf(stat);
  const boot = Number(/^btime (\d+)$/m.exec(system)?.[1] ?? NaN);
  const ticks = Number(fields[19]);
  if (!/^[A-Za-z]$/.test(fields[0]) || !Number.isFinite(ticks) || !Number.isFinite(boot)) return undefined;
  if (fields[0] === "Z" || fields[0] === "X") return { alive: false };
  return { alive: true, startedAtMs: (boot + ticks / TICKS) * 1000 };
}

/** From the third field on: the name in parentheses may hold spaces and parentheses itself, and ends at the last one. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
