/**
 * The child processes at work, each with what it started: its process group on POSIX, its process tree on Windows. They
 * are kept in one place, since each is in a group of its own and nothing but a signal ends it: no end of this process may
 * leave one behind, for the next run would start a second one on the same study.
 * @module
 */
import { settledWithin } from "../settled_within.ts";
import { isGroupAlive } from "./process_info.ts";

/** How long (ms) what was killed may take to be gone; longer only where the system does not let go of it. */
const GONE_MS = 1_000;
/** How often (ms) it is looked at meanwhile. */
const LOOK_MS = 10;

const atWork = new Set<Deno.ChildProcess>();

/** Keeps a child that was started, until disposed of. */
export function keepChild(child: Deno.ChildProcess): Disposable {
  atWork.add(child);
  return { [Symbol.dispose]: () => void atWork.delete(child) };
}

/** Signals the child and what it started; on POSIX before this returns, on Windows every signal is an end by force. */
export async function signalChild(child: Deno.ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  try {
    if (Deno.build.os !== "windows") return Deno.kill(-child.pid, signal);
    const args = ["/T", "/F", "/PID", `${child.pid}`];
    const killed = await new Deno.Command("taskkill", { args, stdout: "null", stderr: "null" }).output();
    if (killed.success) return;
  } catch {
    // The group or the tool is gone: the child itself is what is left to end.
  }
  try {
    child.kill(signal);
  } catch {
    // It ended by itself between the decision and the signal.
  }
}

/** Whether the child and its group have ended, or do so within `ms`. */
export async function isGone(child: Deno.ChildProcess, ms = GONE_MS): Promise<boolean> {
  let isEnded = false;
  await settledWithin(ms, child.status.then(() => isEnded = true));
  for (let waited = 0; waited < ms && isEnded && isGroupAlive(child.pid); waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return isEnded && !isGroupAlive(child.pid);
}

/** Kills all that is at work; on POSIX before this returns. Resolves once it is gone, or after a second. Never rejects. */
export async function killChildren(): Promise<void> {
  const killed = [...atWork].map(async (child) => {
    await signalChild(child, "SIGKILL");
    await isGone(child);
  });
  if (killed.length > 0) await settledWithin(GONE_MS, Promise.allSettled(killed));
}
