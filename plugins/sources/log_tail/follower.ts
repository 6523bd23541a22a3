/**
 * Follows one log through growth, truncation, rotation and absence, as a state machine that is asked again and again.
 * @module
 */
import type { FollowedFile, FollowedFiles, Logger } from "../../../core/ports.ts";
import { beginningOf, movedTo, type Position, stillStands } from "./position.ts";
import { contextOf, type CutAt, type CutRecord, cutRecords, type RecordRules } from "./records.ts";
import { BOM_BYTES, encodingOf, type LogEncoding } from "./text.ts";

export interface FollowOptions {
  path: string;
  rules: RecordRules;
  /** Where a log that was never seen is begun. */
  start: "end" | "beginning";
  /** Bytes read at a time. */
  chunkBytes: number;
  /** A record longer than this is cut, in bytes. */
  recordBytes: number;
  /** How long a log must rest until its last record counts as whole, in ms. */
  settleMs: number;
  files: FollowedFiles;
  log: Pick<Logger, "info" | "warn">;
  now(): number;
}

/** Whole records of one file. */
export interface Chunk {
  file: string;
  /** Bytes. */
  from: number;
  to: number;
  /** Offsets in bytes. */
  records: CutRecord[];
  /** Where the next chunk begins. */
  position: Position;
  /** Whether the file holds more, that can be read at once. */
  more: boolean;
}

/** What is asked of the next look. */
export interface Look {
  /** Takes the last record as it is, and waits for nobody. */
  settled?: boolean;
  /** How many records are taken at most; by default as many as there are. */
  most?: number;
}

/** How long a renamed file must rest, at least, until nobody is taken to write into it any more, in ms. */
const LEAVE_MS = 10_000;
/** How long a log must rest until its last line counts as whole though nothing ends it, in ms. */
const UNENDED_MS = 30_000;
/** What is read at least where records stand so close that a chunk of them is too much, in bytes. */
const CLOSE_BYTES = 64 * 2 ** 10;

interface OpenLog {
  file: FollowedFile;
  encoding?: LogEncoding;
}

export class Follower implements AsyncDisposable {
  readonly #options: FollowOptions;
  #position: Position | undefined;
  #open: OpenLog | undefined;
  /** The file before, which is finished and not looked for any more. */
  #finished: string | undefined;
  #toldMissing = false;
  #size = -1;
  #grownAt = 0;
  /** Since when another file is seen to stand under the path. */
  #leftAt: number | undefined;
  #triedAt = -1;
  /** How much is read at a time, now. */
  #step: number;
  #toldLong = false;
  #buffer = new Uint8Array();

  constructor(position: Position | undefined, options: FollowOptions) {
    this.#position = position;
    this.#options = options;
    this.#step = options.chunkBytes;
  }

  /** Goes back to a position: what follows it comes again. */
  async rewind(position: Position | undefined): Promise<void> {
    await this.#close();
    this.#position = position;
    this.#finished = undefined;
  }

  /**
   * The next whole records, or undefined when there are none yet.
   * A chunk without records may come at any time; its position is to be kept like any other.
   */
  async next(look: Look = {}): Promise<Chunk | undefined> {
    if (this.#position === undefined) return await this.#begin();
    const log = this.#open ??= await this.#reopen(this.#position);
    if (log === undefined) return this.#missing();
    const size = await log.file.size();
    if (size !== this.#size) {
      this.#size = size;
      this.#grownAt = this.#options.now();
    }
    // Also at an equal size: emptied and written again, a log may happen to be as long as before.
    if (!await stillStands(this.#position, log.file)) this.#restart(log);
    return await this.#read(log, { ...look, size, at: this.#cutsAt(look) }) ?? await this.#leave(log, look);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    const { file } = this.#open ?? {};
    this.#open = undefined;
    this.#size = this.#triedAt = -1;
    this.#leftAt = undefined;
    await file?.[Symbol.asyncDispose]();
  }

  /** A log that was never seen. What is decided here is kept, so that a later start does not decide anew. */
  async #begin(): Promise<Chunk> {
    const { path, files, start, rules } = this.#options;
    const context: Position["context"] = [];
    const file = await files.open(path);
    if (file === undefined) {
      this.#missing();
      return this.#chunk(beginningOf(""), { from: 0, records: [] });
    }
    this.#open = { file };
    const beginning = beginningOf(file.identity);
    if (start === "beginning") return this.#chunk(beginning, { from: 0, records: [] });
    const size = await file.size();
    const encoding = await this.#encoding(this.#open, { size, final: true });
    if (encoding === undefined) return this.#chunk(beginning, { from: 0, records: [] });
    // The last line may be half written; it is waited for. The context of what comes is looked for a chunk back.
    const { unit, bom } = encoding;
    const back = Math.floor((Math.min(size, this.#options.chunkBytes) - bom) / unit) * unit;
    const from = Math.max(bom, size - (size - bom) % unit - Math.max(0, back));
    const view = encoding.view(await this.#bytes(file, { from, to: size - (size - bom) % unit }));
    const lineAt = from === bom ? 0 : view.indexOf("\n") + 1;
    const cut = contextOf(view.slice(lineAt), { encoding, rules, context });
    const offset = from + (lineAt + cut.end) * unit;
    return this.#chunk(await movedTo(beginning, { file, offset, context: cut.context }), { from: offset, records: [] });
  }

  #missing(): undefined {
    if (this.#toldMissing) return;
    this.#toldMissing = true;
    this.#options.log.warn(`"${this.#options.path}" is not there: waiting for it`);
  }

  #found(): void {
    if (this.#toldMissing) this.#options.log.info(`"${this.#options.path}" is there`);
    this.#toldMissing = false;
  }

  /** Opens the file of a position, wherever a rotation has put it, or else what stands under the path. */
  async #reopen(position: Position): Promise<OpenLog | undefined> {
    const { path, files, log } = this.#options;
    const file = await files.open(path);
    if (file !== undefined) this.#found();
    if (file?.identity === position.file) return { file };
    if (position.file !== "" && position.file !== this.#finished) {
      const rotated = await files.find(path, position.file);
      if (rotated !== undefined) {
        await file?.[Symbol.asyncDispose]();
        return { file: rotated };
      }
      if (file === undefined) return undefined;
      log.warn(`"${path}" is another file than before, which is gone: what was not read of it by then is not known`);
    }
    if (file === undefined) return undefined;
    this.#position = beginningOf(file.identity, position.context);
    return { file };
  }

  /** The file was emptied, or written anew, under its old identity. */
  #restart(log: OpenLog): void {
    this.#options.log.info(`"${this.#options.path}" was begun anew: reading from its beginning`);
    log.encoding = undefined;
    this.#triedAt = -1;
    this.#grownAt = this.#options.now();
    this.#position = beginningOf(log.file.identity, this.#position?.context);
  }

  #cutsAt({ settled = false }: Look): CutAt {
    if (!settled && this.#hasRested(UNENDED_MS)) return "end";
    return settled || this.#hasRested(this.#options.settleMs) ? "line" : "record";
  }

  /** Whether the file did not grow for so long, in ms. */
  #hasRested(ms: number): boolean {
    const now = this.#options.now();
    // A clock that was set back tells nothing: from now on it is waited anew.
    this.#grownAt = Math.min(this.#grownAt, now);
    return now - this.#grownAt >= ms;
  }

  /** At the end of a file under whose path another one stands: it is finished once no late writer is to be expected. */
  async #leave(log: OpenLog, look: Look): Promise<Chunk | undefined> {
    const { path, files, settleMs } = this.#options;
    const current = await files.identity(path);
    if (current === undefined) return this.#missing();
    this.#found();
    if (current === log.file.identity) {
      this.#leftAt = undefined;
      return undefined;
    }
    const now = this.#options.now();
    this.#leftAt = Math.min(this.#leftAt ?? now, now);
    // Rotated more than once while nobody looked: the files between come first.
    const between = await files.after(path, log.file);
    const rest = Math.max(LEAVE_MS, settleMs);
    const hasRested = now - this.#leftAt >= rest && this.#hasRested(rest);
    if (!look.settled && between === undefined && !hasRested) return undefined;
    const last = await this.#read(log, { ...look, size: await log.file.size(), at: "end" });
    if (last !== undefined) {
      await between?.[Symbol.asyncDispose]();
      return last;
    }
    this.#options.log.info(`"${path}" was rotated: the file before is read to its end`);
    this.#finished = log.file.identity;
    const context = this.#position?.context;
    await this.#close();
    if (between !== undefined) {
      this.#open = { file: between };
      this.#position = beginningOf(between.identity, context);
    }
    return await this.next(look);
  }

  async #read(
    log: OpenLog,
    { size, at, most }: Look & { size: number; at: CutAt },
  ): Promise<Chunk | undefined> {
    const position = this.#position;
    const encoding = await this.#encoding(log, { size, final: at === "end" });
    if (position === undefined || encoding === undefined) return undefined;
    const { recordBytes, chunkBytes, rules } = this.#options;
    const { unit, bom } = encoding;
    const from = Math.max(position.offset, bom);
    const rest = Math.floor((size - from) / unit) * unit;
    // A tail that gave nothing gives nothing until it grows, or rests.
    const tried = size + (at === "record" ? 0 : at === "line" ? 0.25 : 0.5);
    if (rest <= 0 || tried === this.#triedAt) return undefined;
    for (let want = Math.min(this.#step, rest);; want = Math.min(want * 2, rest)) {
      const view = encoding.view(await this.#bytes(log.file, { from, to: from + want }));
      const isAll = want === rest;
      const options = { encoding, rules, context: position.context, most, longest: Math.floor(recordBytes / unit) };
      const cut = cutRecords(view, { ...options, at: isAll ? at : "record" });
      if (cut.end === 0 && !isAll) continue;
      if (cut.end === 0) {
        this.#triedAt = tried;
        return undefined;
      }
      if (cut.isCut) this.#tellLong();
      else this.#toldLong = false;
      const close = Math.max(CLOSE_BYTES, 2 * cut.end * unit);
      this.#step = Math.min(cut.isFull ? close : 2 * this.#step, chunkBytes);
      const records = cut.records.map((record) => ({ ...record, at: from + record.at * unit }));
      const moved = { file: log.file, offset: from + cut.end * unit, context: cut.context };
      return this.#chunk(await movedTo(position, moved), { from, records, more: cut.isFull || !isAll });
    }
  }

  #tellLong(): void {
    if (this.#toldLong) return;
    this.#toldLong = true;
    const { path, recordBytes, log } = this.#options;
    log.warn(`"${path}" has a record of over ${recordBytes} bytes: it is cut`);
  }

  #chunk(
    position: Position,
    { from, records, more = false }: { from: number; records: CutRecord[]; more?: boolean },
  ): Chunk {
    this.#position = position;
    return { file: position.file, from, to: position.offset, records, position, more };
  }

  /** Known once there are bytes enough to tell, or no more will come. */
  async #encoding(log: OpenLog, { size, final }: { size: number; final: boolean }): Promise<LogEncoding | undefined> {
    if (log.encoding !== undefined || size === 0 || (size < BOM_BYTES && !final)) return log.encoding;
    const head = await this.#bytes(log.file, { from: 0, to: Math.min(size, BOM_BYTES) });
    const found = encodingOf(head);
    if (size >= BOM_BYTES) log.encoding = found;
    return found;
  }

  /** Bytes of the file, in a buffer that the next call uses again. A file that became shorter gives fewer. */
  async #bytes(file: FollowedFile, { from, to }: { from: number; to: number }): Promise<Uint8Array> {
    const bytes = Math.max(0, to - from);
    if (this.#buffer.length < bytes) this.#buffer = new Uint8Array(bytes);
    return this.#buffer.subarray(0, await file.read(from, this.#buffer.subarray(0, bytes)));
  }
}
