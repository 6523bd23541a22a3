/** The free space of a place that is to be freed, and what evictions do to it. @module */
import type { Json } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import type { Finding } from "../../core/errors.ts";
import { formatSize } from "../../core/options.ts";
import type { ArchivedBackup, SourceContext, Space } from "../../core/ports.ts";

/** What is to be kept free. */
export interface Wanted {
  root: string;
  /** Per cent. */
  below: number;
}

/** A file system that frees in the background does so every few seconds; longer than that is waited once. */
const SETTLE_MS = 6_000;
const LONGEST_SETTLE_MS = 60_000;
/** Below this share of the whole, what was freed says nothing against what others write meanwhile. */
const SMALL_SHARE = 1 / 1000;
/** Compression and sparse files free less than was removed; a snapshot frees next to nothing. */
const FREED_SHARE = 1 / 4;
/** How long later runs evict nothing where it was in vain, unless that space has come. */
const IN_VAIN_MS = 7 * 86_400_000;
/** How many backups a message names; the findings hold all of them. */
const NAMED = 5;

/** What a run leaves to the next ones when evictions freed nothing. */
interface InVain {
  /** ms since 1970. */
  at: number;
  free: number;
  removed: number;
}

/** Measured before and after each backup; in a dry run, reckoned with what would have gone. */
export class Gauge {
  readonly #wanted: Wanted;
  readonly #start: Space;
  #now: Space;
  #evictions = 0;
  /** Bytes that went, as the ledger has them. */
  #removed = 0;
  readonly #isDry: boolean;
  #inVain: InVain | undefined;

  private constructor(wanted: Wanted, start: Space, isDry: boolean) {
    this.#wanted = wanted;
    this.#start = start;
    this.#now = start;
    this.#isDry = isDry;
  }

  /** @throws {PipelineError} `cleanup/no-size` */
  static async begin(ctx: SourceContext, wanted: Wanted): Promise<Gauge> {
    const gauge = new Gauge(wanted, await measure(ctx, wanted), ctx.run.dryRun);
    const state = gauge.isEnough ? "nothing needs to go" : "the oldest backups go until that is so";
    ctx.log.info(
      `${percent(gauge.#now)} of ${formatSize(gauge.#now.total)} is free at "${wanted.root}", ` +
        `wanted ${wanted.below} %: ${state}`,
    );
    gauge.#inVain = await gauge.#recall(ctx);
    return gauge;
  }

  get isEnough(): boolean {
    return share(this.#now) >= this.#wanted.below;
  }

  /** Others write and remove meanwhile. A dry run goes on reckoning. */
  async look(ctx: SourceContext): Promise<void> {
    if (!this.#isDry) this.#now = await measure(ctx, this.#wanted);
  }

  /** What the report says beside a backup that is taken up: what was measured, or, in a dry run, what is expected. */
  note(bytes: number): string {
    return this.#isDry ? `then ${percent(this.#reckoned(bytes))} free` : `${percent(this.#now)} free before`;
  }

  /** @throws {PipelineError} `cleanup/space-not-freed` */
  async evicted(ctx: SourceContext, { name, bytes }: ArchivedBackup): Promise<void> {
    this.#evictions++;
    if (this.#isDry) {
      this.#now = this.#reckoned(bytes);
      return;
    }
    await this.#settle(ctx, bytes);
    ctx.log.info(`"${name}" is evicted: ${percent(this.#now)} is free at "${this.#wanted.root}"`);
    await this.#assertFreed(ctx);
  }

  /** One that failed half-way has freed something all the same. @throws {PipelineError} `cleanup/space-not-freed` */
  async failed(ctx: SourceContext, { name, bytes }: ArchivedBackup): Promise<void> {
    if (this.#isDry) return;
    let left: ArchivedBackup | undefined;
    for await (const backup of ctx.archived(name)) left = backup;
    // Without an intent nothing went.
    if (left && !left.begun) return;
    await this.#settle(ctx, Math.max(0, bytes - (left?.bytes ?? 0)));
    await this.#assertFreed(ctx);
  }

  /** @throws {PipelineError} `cleanup/space-not-freed` where a run before has evicted in vain, and nothing came of it since */
  assertNotInVain(): void {
    if (this.#inVain === undefined) return;
    const { at, removed } = this.#inVain;
    throw this.#notFreed(`${formatSize(removed)} went in a run on ${day(at)}, and is still not free`, at);
  }

  notEnough({ only }: SourceContext, stay: readonly Finding[]): PipelineError {
    return new PipelineError(
      "cleanup/not-enough",
      `Cannot free "${this.#wanted.root}": ${percent(this.#now)} is free after ${evictions(this.#evictions)}, ` +
        `wanted ${this.#wanted.below} %; ${whatStays(stay, only)}`,
      { findings: stay, hint: whatToDo(stay, only) },
    );
  }

  #reckoned(bytes: number): Space {
    return { ...this.#now, free: Math.min(this.#now.total, this.#now.free + bytes) };
  }

  /** Measures, and waits while the file system is still freeing what went. */
  async #settle(ctx: SourceContext, bytes: number): Promise<void> {
    this.#removed += bytes;
    const whole = this.#start.free + this.#removed;
    await this.look(ctx);
    for (let waited = 0; waited < LONGEST_SETTLE_MS && this.#now.free < whole && !this.isEnough; waited += SETTLE_MS) {
      await ctx.clock.sleep(SETTLE_MS, ctx.signal);
      const before = this.#now.free;
      await this.look(ctx);
      if (this.#now.free <= before) return;
    }
  }

  /** Where evictions free nothing, more of them are in vain: the NAS would be emptied and still be full. */
  async #assertFreed(ctx: SourceContext): Promise<void> {
    if (this.isEnough) return;
    const grown = this.#now.free - this.#start.free;
    if (this.#removed < this.#now.total * SMALL_SHARE || grown >= this.#removed * FREED_SHARE) return;
    const at = ctx.clock.now();
    await ctx.setCursor(CURSOR, { at, free: this.#now.free, removed: this.#removed });
    throw this.#notFreed(
      `${formatSize(this.#removed)} went, and ${formatSize(Math.max(0, grown))} more is free than before`,
      at,
    );
  }

  #notFreed(found: string, at: number): PipelineError {
    return new PipelineError("cleanup/space-not-freed", `Cannot free "${this.#wanted.root}": ${found}`, {
      hint:
        "Snapshots or a recycle bin of the NAS may still hold what went, or something else fills it: look at them. " +
        `Nothing more is evicted until that space is free, or until ${
          day(at + IN_VAIN_MS)
        }; --only NAME goes on at once.`,
    });
  }

  /** What a run before left, unless its space has come, or that is long ago; a clock that was set back prolongs nothing. */
  async #recall(ctx: SourceContext): Promise<InVain | undefined> {
    if (this.isEnough || ctx.only !== undefined) return undefined;
    const left = inVain(await ctx.cursor(CURSOR));
    if (left === undefined) return undefined;
    const age = ctx.clock.now() - left.at;
    const hasCome = this.#now.free - left.free >= left.removed * FREED_SHARE;
    if (!hasCome && age >= 0 && age < IN_VAIN_MS) return left;
    await ctx.setCursor(CURSOR, null);
    return undefined;
  }
}

const CURSOR = "in-vain";

function inVain(value: Json | undefined): InVain | undefined {
  const { at, free, removed } = (value ?? {}) as Partial<InVain>;
  if (typeof at !== "number" || typeof free !== "number" || typeof removed !== "number") return undefined;
  return { at, free, removed };
}

/** @throws {PipelineError} `cleanup/no-size`: a share that is not known must never look like one that is short of space */
async function measure(ctx: SourceContext, { root }: Wanted): Promise<Space> {
  const space = await ctx.space();
  if (space.total > 0 && space.free >= 0) return space;
  throw new PipelineError(
    "cleanup/no-size",
    `Cannot measure the free space of "${root}": the system says ${space.free} of ${space.total} bytes`,
    { hint: "Nothing more is removed. A share that does not tell its size cannot be kept free by this pipeline." },
  );
}

function whatStays(stay: readonly Finding[], only: string | undefined): string {
  if (stay.length === 0) return only === undefined ? "no other backup is there" : `only "${only}" was to go`;
  const named = stay.slice(0, NAMED).map(({ path, message }) => `"${path}": ${message}`).join("; ");
  const more = stay.length > NAMED ? `; and ${stay.length - NAMED} more` : "";
  return `refused ${stay.length === 1 ? "was" : "were"} ${named}${more}`;
}

function whatToDo(stay: readonly Finding[], only: string | undefined): string {
  if (stay.length > 0) {
    return "Nothing that could not be proved elsewhere was removed. Mend what keeps the refused ones, or make room by hand.";
  }
  if (only !== undefined) return "Run it without --only to go on with the oldest backups.";
  return "What fills it is no backup that this ledger knows. Make room by hand, or enlarge it.";
}

function share({ free, total }: Space): number {
  return free / total * 100;
}

/** Rounded down: 19.96 % is not 20 %. */
function percent(space: Space): string {
  return `${(Math.floor(share(space) * 10) / 10).toFixed(1)} %`;
}

function evictions(count: number): string {
  return `${count} eviction${count === 1 ? "" : "s"}`;
}

/** `2026-03-01` in UTC. */
function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
