/**
 * Stops the world of a test at any step: a step is a primitive of the file system, a request to the store (before it is
 * done, and after it with its answer lost), a call of the journal, or the start or end of a program.
 * @module
 */
import type { Journal } from "../core/journal/journal.ts";
import type { LocalJournal } from "../core/journal/sqlite.ts";
import type { EngineServices } from "../core/run/services.ts";
import { CrashError } from "./memory_types.ts";
import type { World } from "./world.ts";

/** Methods of the journal that change it. */
const WRITES = new Set([
  "put",
  "remove",
  "finish",
  "checkpoint",
  "forgetCheckpoint",
  "open",
  "close",
  "set",
  "enqueue",
  "markSent",
  "claim",
  "heartbeat",
  "release",
  "startRun",
  "finishRun",
  "joinGroup",
]);

export interface Stepper {
  /** Steps so far. */
  readonly count: number;
  /** Whether the machine stopped. */
  readonly dead: boolean;
  /** What the last step was. */
  readonly last: string;
  wrap(services: EngineServices): EngineServices;
  /** Brings the machine back; `lose` as in `MemoryFileSystem.restart`. */
  restart(lose?: Parameters<World["fs"]["restart"]>[0]): void;
}

export interface StepperOptions {
  /** The step to stop at, from 1; without it steps are only counted. */
  crashAt?: number;
  /** How much (ms) the clock goes on with each step. */
  tickMs?: number;
  /** Gets every write of the journal up to a step: the journal as a copy of the state folder made then would have it. */
  older?: { journal: LocalJournal; until: number };
}

/** Puts itself between the engine and the world. */
export function stepper(world: World, options: StepperOptions = {}): Stepper {
  let count = 0, dead = false, last = "";
  const step = (what: string) => {
    if (dead) throw new CrashError();
    count++;
    last = what;
    world.clock.time += options.tickMs ?? 0;
    if (count !== options.crashAt) return;
    dead = true;
    world.fs.crash();
    throw new CrashError();
  };
  const fault = world.fs.disk.fault;
  const hooks = world.store.hooks;
  world.fs.fault = (call) => {
    step(`${call.operation} ${call.path}`);
    return fault?.(call);
  };
  world.store.hooks = {
    ...hooks,
    async before(call) {
      step(`before ${call.name} ${call.key}`);
      await hooks.before?.(call);
    },
    async after(call) {
      await hooks.after?.(call);
      step(`after ${call.name} ${call.key}`);
    },
  };
  return {
    get count() {
      return count;
    },
    get dead() {
      return dead;
    },
    get last() {
      return last;
    },
    wrap: (services) => ({
      ...services,
      journal: stepped(services.journal, { step, older: options.older, now: () => count }),
      exec: async (given) => {
        step(`before exec ${given.argv.join(" ")}`);
        await services.exec(given);
        step(`after exec ${given.argv.join(" ")}`);
      },
    }),
    restart(lose) {
      dead = true; // what is left of the run must not go on in the next life
      world.fs.fault = fault;
      world.store.hooks = hooks;
      world.fs.restart(lose);
    },
  };
}

interface Tapped {
  step: (what: string) => void;
  older?: { journal: Journal; until: number };
  now: () => number;
}

function stepped(journal: Journal, tap: Tapped): Journal {
  return tapped(journal, tap.older?.journal, { ...tap, name: "journal" }) as Journal;
}

function tapped(target: object, older: object | undefined, tap: Tapped & { name: string }): object {
  return new Proxy(target, {
    get(real, key) {
      const value = Reflect.get(real, key, real);
      const copy = older && Reflect.get(older, key, older);
      if (typeof value === "object" && value !== null) {
        return tapped(value, copy as object | undefined, { ...tap, name: `${tap.name}.${String(key)}` });
      }
      if (typeof value !== "function" || typeof key === "symbol") return value;
      return (...given: unknown[]) => {
        tap.step(`${tap.name}.${key}`);
        const writes = WRITES.has(key) && copy && tap.older && tap.now() <= tap.older.until;
        const done = value.apply(real, given);
        if (!writes) return done;
        return Promise.resolve(done).then(async (result) => {
          await (copy as (...args: unknown[]) => unknown).apply(older, given);
          return result;
        });
      };
    },
  });
}
