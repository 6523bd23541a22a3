/** Source `log-tail`: what an instrument writes into its log, for as long as labferry runs. @module */
import { basename } from "@std/path";
import { defineSource, type Item, type Json } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { byteSize, duration, pathOption, pattern, TIMESTAMP_LINE, z } from "../../core/options.ts";
import type { EventSourceContext, RunContext } from "../../core/ports.ts";
import { type Chunk, Follower } from "./log_tail/follower.ts";
import type { NearLine } from "./log_tail/records.ts";
import { type Position, positionFromJson, positionToJson } from "./log_tail/position.ts";

/** How much of a backlog becomes one item at most: bytes of the log, records found in them, characters of these. */
const ITEM_BYTES = 64 * 2 ** 20;
const ITEM_RECORDS = 1000;
const ITEM_CHARACTERS = 2 ** 20;
/** What is read without a find becomes an item after so many ms, so that the journal knows of it. */
const QUIET_MS = 60_000;
/** Longest pause before something that failed is tried again, in ms. */
const LONGEST_PAUSE_MS = 30_000;

const OPTIONS = z.strictObject({
  path: pathOption().meta({ description: "The log file, or a link to it." }),
  start: z.enum(["end", "beginning"]).default("end").meta({
    description: "Where a log is begun that was never seen before.",
  }),
  record: pattern().prefault(TIMESTAMP_LINE).meta({
    description: "Tells the first line of a record; the lines up to the next such line belong to it.",
  }),
  find: z.array(z.string().min(1)).default([]).meta({
    description: "Only records that hold one of these texts are handed on; without any, all are.",
    example: ["ERROR"],
  }),
  context: z.array(z.strictObject({
    find: z.array(z.string().min(1)).min(1).meta({ description: "Texts, one of which such a line holds." }),
    pattern: pattern().optional().meta({ description: "What such a line must match besides." }),
  })).default([]).meta({
    description: "Kinds of lines of which the nearest one before a record is handed on with it.",
    example: [{ find: ["Sample"] }],
  }),
  poll: duration().prefault("1s").meta({ description: "How often the log is looked at.", unit: "ms" }),
  settle: duration().prefault("2s").meta({
    description: "How long the log must rest until its last record counts as whole.",
    unit: "ms",
  }),
  chunk: byteSize().prefault("4 MiB").meta({ description: "How much is read at a time.", unit: "bytes" }),
  longest_record: byteSize().prefault("64 KiB").meta({ description: "A longer record is cut.", unit: "bytes" }),
});
type Options = z.output<typeof OPTIONS>;

export const logTail = defineSource({
  kind: "source",
  name: "log-tail",
  summary: "Follows a log file that another program writes, through rotations and restarts.",
  yields: "event",
  endless: true,
  options: OPTIONS,
  example: `[source]\nuse  = "log-tail"\nwith = { path = "\${monitor.log_path}", find = ["ERROR"] }\n`,
  open: (options, run) => new LogTail(options, run),
});

/** An item that was yielded, until it is acknowledged. */
interface Given {
  id: string;
  position: Position;
}

class LogTail implements AsyncDisposable {
  readonly #options: Options;
  readonly #run: RunContext;
  #follower: Follower | undefined;
  /** What the journal has. */
  #kept: Position | undefined;
  #keptAt = 0;
  #given: Given | undefined;
  #failures = 0;

  constructor(options: Options, run: RunContext) {
    this.#options = options;
    this.#run = run;
  }

  async *items(ctx: EventSourceContext): AsyncGenerator<Item> {
    const { poll } = this.#options;
    await takeLog(ctx, this.#options.path);
    this.#kept = positionFromJson(await ctx.cursor(this.#cursor()));
    this.#keptAt = ctx.clock.now();
    const follower = this.#follower = this.#follow(ctx);
    let drawn: Chunk | undefined;
    let unreadable = false;
    let isFollowed = false;
    while (!ctx.signal.aborted) {
      let chunk: Chunk | undefined;
      try {
        chunk = await follower.next({ settled: ctx.dryRun, most: ITEM_RECORDS - (drawn?.records.length ?? 0) });
        if (unreadable) ctx.log.info(`"${this.#options.path}" can be read again`);
        unreadable = false;
        isFollowed = true;
      } catch (error) {
        if (ctx.signal.aborted) return; // the log is closed already
        if (ctx.dryRun || !isPassing(error, isFollowed)) throw error;
        if (!unreadable) ctx.log.warn(`${error.message}; trying again until it can be read`, { code: error.code });
        unreadable = true;
        drawn = undefined;
        await follower.rewind(this.#kept);
      }
      // Of the file before a rotation, what was found comes first, and by itself.
      if (chunk !== undefined && drawn !== undefined && !isBehind(chunk, drawn) && drawn.records.length > 0) {
        const isKept = yield* this.#give(drawn, { ctx, follower });
        drawn = isKept ? chunk : undefined;
        if (!isKept) continue;
      } else if (chunk !== undefined) drawn = joined(drawn, chunk);
      if (drawn !== undefined && this.#isDue(drawn, { last: chunk, ctx })) {
        const given = drawn;
        drawn = undefined;
        yield* this.#give(given, { ctx, follower });
        continue;
      }
      if (chunk !== undefined) continue;
      // Whoever only wants to see does not want to wait.
      if (ctx.dryRun) return;
      await ctx.clock.sleep(poll, ctx.signal);
    }
  }

  /** Whether what was drawn is to become an item: at once when it holds records and no more can be read at once. */
  #isDue(
    { from, to, records }: Chunk,
    { last, ctx }: { last: Chunk | undefined; ctx: EventSourceContext },
  ): boolean {
    if (this.#kept === undefined || to - from >= ITEM_BYTES) return true;
    if (last === undefined && ctx.dryRun) return true;
    const now = ctx.clock.now();
    this.#keptAt = Math.min(this.#keptAt, now); // the clock may have been set back
    if (records.length === 0) return now - this.#keptAt >= QUIET_MS;
    const characters = records.reduce((sum, { text }) => sum + text.length, 0);
    return !last?.more || records.length >= ITEM_RECORDS || characters >= ITEM_CHARACTERS;
  }

  /** Yields an item. False when it failed: then it comes again, and nothing behind it before. */
  async *#give(
    chunk: Chunk,
    { ctx, follower }: { ctx: EventSourceContext; follower: Follower },
  ): AsyncGenerator<Item, boolean> {
    const item = this.#item(chunk);
    this.#given = { id: item.id, position: chunk.position };
    yield item;
    this.#keptAt = ctx.clock.now();
    if (ctx.dryRun) this.#kept ??= chunk.position;
    if (this.#failures === 0) return true;
    await follower.rewind(this.#kept);
    const pause = Math.min(this.#options.poll * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    await ctx.clock.sleep(pause, ctx.signal);
    return false;
  }

  async ack(
    item: Item,
    outcome: string,
    ctx: { setCursor(name: string, value: Json): Promise<void> },
  ): Promise<void> {
    if (item.id !== this.#given?.id) return;
    if (outcome === "failed" || outcome === "waiting") {
      this.#failures++;
      return;
    }
    this.#failures = 0;
    this.#kept = this.#given.position;
    await ctx.setCursor(this.#cursor(), positionToJson(this.#kept));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower?.[Symbol.asyncDispose]();
  }

  #cursor(): string {
    return `log-tail:${this.#options.path}`;
  }

  #follow({ files, clock }: EventSourceContext): Follower {
    const { path, start, record, find, context, chunk, settle, longest_record } = this.#options;
    return new Follower(this.#kept, {
      path,
      rules: { start: record, find, context },
      start,
      chunkBytes: Math.max(chunk, 2),
      recordBytes: Math.max(longest_record, 2),
      settleMs: settle,
      files,
      log: this.#run.log,
      now: () => clock.now(),
    });
  }

  #item({ file, from, to, records }: Chunk): Item {
    const { path, context } = this.#options;
    const log = basename(path);
    return {
      id: `${file}:${from}-${to}`,
      name: to === from ? `${log} from byte ${from}` : `${log} bytes ${from}-${to}`,
      kind: "event",
      data: {
        log: path,
        file,
        from,
        to,
        records: records.map(({ at, text, context: near }) => ({
          at,
          text,
          ...context.length === 0 ? {} : { context: linesOf(near) },
        })),
      },
    };
  }
}

/** The lines of the context in the order of the log; one that two rules have found is one. */
function linesOf(context: readonly NearLine[]): string[] {
  return context.map(({ line }) => line).filter((line, at, lines) => line !== lines[at - 1]);
}

function isBehind(chunk: Chunk, before: Chunk): boolean {
  return before.file === chunk.file && before.to === chunk.from;
}

/** Two chunks as one. What was read of another file without a find is done with. */
function joined(before: Chunk | undefined, chunk: Chunk): Chunk {
  if (before === undefined || !isBehind(chunk, before)) return chunk;
  return { ...chunk, from: before.from, records: [...before.records, ...chunk.records] };
}

/** Trouble with a disk or a share passes; a path that cannot be right does not, unless it was right before. */
function isPassing(error: unknown, isFollowed: boolean): error is PipelineError {
  if (!(error instanceof PipelineError) || !error.code.startsWith("io/")) return false;
  return error.stopsRun === undefined || (isFollowed && error.code === "io/not-a-file");
}

/** Of two monitors on a log, the second ends. A dry run keeps nobody out, and is kept out by nobody. */
async function takeLog(ctx: EventSourceContext, path: string): Promise<void> {
  if (ctx.dryRun || await ctx.claim(`log-tail:${path}`)) return;
  throw new PipelineError("log-tail/followed", `Cannot follow "${path}": another run follows it already`, {
    stopsRun: 2,
    hint: "One run for a log is enough: stop the other one first. " +
      "If none is at work, one died within the last minute: start again in a minute.",
  });
}
