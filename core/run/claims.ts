/** The names a run over events has taken, so that no two runs do the same work: taken, renewed, given back. @module */
import { PipelineError } from "../errors.ts";
import type { EngineServices } from "./services.ts";

/** How long a claim stands without being renewed, in ms. */
const CLAIM_MS = 60_000;
/** How old a claim may become before it is renewed, and how often its age is looked at, in ms. */
const RENEW_MS = 15_000;
const LOOK_MS = 5_000;

/** A process that began this much later than the claim is another one; clocks are not finer, in ms. */
const START_SLACK_MS = 5_000;

export class Claims {
  readonly #services: EngineServices;
  readonly #pipeline: string;
  readonly #self: string;
  readonly #held = new Set<string>();
  readonly #lost = new AbortController();
  #renewedAt: number;

  constructor(services: EngineServices, { pipeline, runId }: { pipeline: string; runId: string }) {
    const { clock, host } = services;
    this.#services = services;
    this.#pipeline = pipeline;
    this.#renewedAt = clock.now();
    const since = new Date(this.#renewedAt).toISOString();
    this.#self = JSON.stringify({ host, pid: Deno.pid, since, run: runId });
  }

  /** Aborted, with the error to end with, when another run has taken over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Takes a name; false while another run has it. One that a dead process of this host left behind is free. */
  async take(key: string): Promise<boolean> {
    const name = `${this.#pipeline}:${key}`;
    // The claims of a dry run are made in its own copy of the journal.
    const take = () => this.#services.journal.claims.claim(name, this.#self, this.#lease());
    if (!await take() && !(await isLeftBehind(this.#services, name) && await take())) return false;
    this.#held.add(name);
    return true;
  }

  /** @throws {PipelineError} `run/claim-lost` */
  async renew(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    this.#renewedAt = this.#services.clock.now();
    for (const name of this.#held) {
      if (await this.#services.journal.claims.heartbeat(name, this.#self, this.#lease())) continue;
      const error = new PipelineError("run/claim-lost", `Cannot go on with "${name}": another run has taken it over`, {
        stopsRun: 1,
        hint: "This run was suspended for over a minute. What it did not finish is done by the other run.",
      });
      this.#lost.abort(error);
      throw error;
    }
  }

  /** As `renew`, once in a quarter of a minute. */
  async renewDue(): Promise<void> {
    if (Math.abs(this.#services.clock.now() - this.#renewedAt) >= RENEW_MS) await this.renew();
  }

  /** Renews by time until disposed of, also while an item hangs or none comes. `every` is for tests. */
  keep(every: (ms: number, tick: () => void) => Disposable = everyMs): Disposable {
    return every(LOOK_MS, () => {
      // Whoever lost it hears of it by the signal; a journal that is busy is asked again, and before the next item.
      this.renewDue().catch(() => {});
    });
  }

  async release(): Promise<void> {
    for (const name of this.#held) await this.#services.journal.claims.release(name, this.#self);
  }

  #lease(): { now: number; ms: number } {
    return { now: this.#services.clock.now(), ms: CLAIM_MS };
  }
}

function everyMs(ms: number, tick: () => void): Disposable {
  const timer = setInterval(tick, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Whether a claim is that of a process of this host that is no more; it is then free again. */
async function isLeftBehind({ journal, processes, host }: EngineServices, name: string): Promise<boolean> {
  const holder = await journal.claims.holder(name);
  if (holder === undefined) return true;
  let given: { host?: unknown; pid?: unknown; since?: unknown };
  try {
    given = JSON.parse(holder) ?? {};
  } catch {
    return false; // whoever it is, it lapses
  }
  if (given.host !== host || typeof given.pid !== "number" || given.pid === Deno.pid) return false;
  const { alive, startedAtMs = -Infinity } = await processes.isAlive(given.pid);
  // A process that began after the claim was made, as after a restart of the machine, only bears the same number.
  if (alive && !(startedAtMs > Date.parse(String(given.since)) + START_SLACK_MS)) return false;
  await journal.claims.release(name, holder);
  return true;
}
