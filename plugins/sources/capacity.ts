/** Source `capacity`: the oldest backups of a place, one at a time, only while the place is short of space. @module */
import { defineSource } from "../../core/contract.ts";
import type { Item, ItemOutcome } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import type { Finding } from "../../core/errors.ts";
import { pathOption, z } from "../../core/options.ts";
import type { AckContext, ArchivedBackup, SourceContext, Space } from "../../core/ports.ts";

/** A file system that frees in the background does so every few seconds; longer than that is waited once. */
const SETTLE_MS = 6_000;
const LONGEST_SETTLE_MS = 60_000;
/** Below this share of the whole, what was freed says nothing against what others write meanwhile. */
const SMALL_SHARE = 1 / 1000;
/** Compression and sparse files free less than was removed; a snapshot frees next to nothing. */
const FREED_SHARE = 1 / 4;

export const capacity = defineSource({
  kind: "source",
  name: "capacity",
  summary: "Yields the oldest complete backups of a place, one at a time, while less than a share of it is free.",
  yields: "backup",
  endless: false,
  options: z.strictObject({
    place_root: pathOption().meta({
      description: "Root folder of the place, as the pipeline that wrote it names it.",
      example: "//truenas/backups",
    }),
    below: z.number().min(0).max(100).meta({
      description: "Backups are yielded while less than this is free.",
      unit: "per cent",
      example: 20,
    }),
  }),
  example:
    `[source]\nuse  = "capacity"\nwith = { place_root = "\${paths.truenas_root}", below = "\${cleanup.free_threshold_pct}" }\n`,
  root: (options) => ({ root: options.place_root }),
  open({ place_root, below }) {
    const wanted: Wanted = { root: place_root, below };
    /** What became of the items that were yielded. */
    const ends = new Map<string, { outcome: ItemOutcome; error?: { message: string } }>();
    return {
      async *items(ctx) {
        const gauge = await Gauge.begin(ctx, wanted);
        const stay: Finding[] = [];
        for await (const backup of ctx.archived()) {
          ctx.signal.throwIfAborted();
          if (gauge.isEnough && !(backup.begun && backup.refused === undefined)) break;
          const refuse = (why: string) => {
            stay.push({ rule: "cleanup/refused", severity: "error", path: backup.name, message: why });
          };
          const item = backup.refused ?? await itemOf(ctx, backup, gauge);
          if (typeof item === "string") {
            ctx.log.info(`"${backup.name}" stays: ${item}`);
            refuse(item);
            continue;
          }
          yield item;
          const end = ends.get(item.id);
          if (end?.outcome === "done") await gauge.removed(ctx, backup);
          else refuse(end?.error?.message ?? `it ended as ${end?.outcome}`);
        }
        if (!gauge.isEnough) throw gauge.notEnough(stay);
      },
      ack({ id }, outcome, ctx: AckContext) {
        ends.set(id, { outcome, error: ctx.error });
        return Promise.resolve();
      },
    };
  },
});

interface Wanted {
  root: string;
  /** Per cent. */
  below: number;
}

/** An item, or why there is none: one bad backup never stops the others (SAFETY S19). */
async function itemOf(ctx: SourceContext, backup: ArchivedBackup, gauge: Gauge): Promise<Item | string> {
  try {
    const { bytes, completedAt } = backup;
    const item = await ctx.item(backup, { bytes, completed_at: completedAt });
    const begun = backup.begun ? "begun by an earlier run, " : "";
    return { ...item, note: `${begun}${size(bytes)} of ${completedAt.slice(0, 10)}, then ${gauge.after(bytes)} free` };
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!(error instanceof PipelineError) || error.stopsRun !== undefined) throw error;
    return error.message;
  }
}

/** The free space of a place, measured before each backup; a dry run reckons with what would have gone. */
class Gauge {
  readonly #wanted: Wanted;
  readonly #start: Space;
  #now: Space;
  #evictions = 0;
  /** Bytes of the backups that went, as the ledger has them. */
  #removed = 0;

  private constructor(wanted: Wanted, start: Space) {
    this.#wanted = wanted;
    this.#start = start;
    this.#now = start;
  }

  static async begin(ctx: SourceContext, wanted: Wanted): Promise<Gauge> {
    const gauge = new Gauge(wanted, await ctx.space());
    const { free, total } = gauge.#now;
    if (!(total > 0) || !(free >= 0)) {
      throw new PipelineError(
        "cleanup/no-size",
        `Cannot measure the free space of "${wanted.root}": the system says ${free} of ${total} bytes`,
        { hint: "Nothing was removed. A share that does not tell its size cannot be kept free by this pipeline." },
      );
    }
    const state = gauge.isEnough ? "nothing needs to go" : "the oldest backups go until that is so";
    ctx.log.info(
      `${percent(gauge.#now)} of ${size(total)} is free at "${wanted.root}", wanted ${wanted.below} %: ${state}`,
    );
    return gauge;
  }

  get isEnough(): boolean {
    return share(this.#now) >= this.#wanted.below;
  }

  /** What will be free when so many bytes are gone. */
  after(bytes: number): string {
    return percent({ ...this.#now, free: Math.min(this.#now.total, this.#now.free + bytes) });
  }

  async removed(ctx: SourceContext, { name, bytes }: ArchivedBackup): Promise<void> {
    this.#evictions++;
    this.#removed += bytes;
    if (ctx.run.dryRun) {
      this.#now = { ...this.#now, free: Math.min(this.#now.total, this.#now.free + bytes) };
      return;
    }
    await this.#measure(ctx);
    ctx.log.info(`"${name}" is evicted: ${percent(this.#now)} is free at "${this.#wanted.root}"`);
    if (!this.isEnough) this.#assertFreed();
  }

  /** Measures, and waits while the file system is still freeing what went. */
  async #measure(ctx: SourceContext): Promise<void> {
    const whole = this.#start.free + this.#removed;
    this.#now = await ctx.space();
    for (let waited = 0; waited < LONGEST_SETTLE_MS && this.#now.free < whole && !this.isEnough; waited += SETTLE_MS) {
      await ctx.clock.sleep(SETTLE_MS, ctx.signal);
      const before = this.#now.free;
      this.#now = await ctx.space();
      if (this.#now.free <= before) return;
    }
  }

  /** Where evictions free nothing, more of them are in vain: the NAS would be emptied and still be full. */
  #assertFreed(): void {
    const grown = this.#now.free - this.#start.free;
    if (this.#removed < this.#now.total * SMALL_SHARE || grown >= this.#removed * FREED_SHARE) return;
    throw new PipelineError(
      "cleanup/space-not-freed",
      `Cannot free "${this.#wanted.root}": ${size(this.#removed)} went in ${evictions(this.#evictions)}, and ` +
        `${size(Math.max(0, grown))} more is free than before`,
      {
        hint:
          "Snapshots or a recycle bin of the NAS may still hold what went, or something else fills it. Nothing more " +
          "is evicted by this run. Look at the snapshots before the next.",
      },
    );
  }

  notEnough(stay: readonly Finding[]): PipelineError {
    const named = stay.slice(0, NAMED).map(({ path, message }) => `"${path}": ${message}`).join("; ");
    const more = stay.length > NAMED ? `; and ${stay.length - NAMED} more` : "";
    const refused = stay.length === 0 ? "no other backup is there" : `refused were ${named}${more}`;
    return new PipelineError(
      "cleanup/not-enough",
      `Cannot free "${this.#wanted.root}": ${percent(this.#now)} is free after ${evictions(this.#evictions)}, ` +
        `wanted ${this.#wanted.below} %; ${refused}`,
      {
        findings: stay,
        hint:
          "Nothing that could not be proved elsewhere was removed. Mend what keeps the refused ones, or make room by hand.",
      },
    );
  }
}

/** How many backups a message names; the findings hold all of them. */
const NAMED = 5;

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

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function size(bytes: number): string {
  let value = bytes, unit = 0;
  for (; value >= 1023.5 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}
