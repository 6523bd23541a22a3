/**
 * The ledger's mirror in an object store: `<prefix>_manifests/YYYY-MM.jsonl`. It never shrinks (SAFETY S12), so that it
 * shows what the ledger here has lost. What goes wrong with it is a warning: the record stands in the ledger, and the
 * next append tries again.
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import type { ObjectInfo, ObjectStore } from "../objects/object_store.ts";
import type { Clock } from "../ports.ts";
import { withFileLock } from "../safety/os_lock.ts";
import { readAt } from "./_lines.ts";
import { isMonth, ledgerMonths } from "./fold.ts";

export const MIRROR_LOCK = ".ledger-mirror.lock";

/** Months beyond this are not mirrored whole, in bytes: more than 100,000 records. */
const LARGEST = 128 * 2 ** 20;
const RANGE = 8 * 2 ** 20;
const NEWLINE = 0x0a;

export interface MirrorOptions {
  store: ObjectStore;
  /** Key prefix: empty, or ending in `/`. */
  prefix: string;
  fs: FileSystem;
  /** OS path of the ledger's folder. */
  root: string;
  clock: Clock;
  signal: AbortSignal;
  /** How long to wait for another process's mirroring, in ms. Default: 60 s. */
  waitMs?: number;
}

/** What went wrong, in sentences for the log. */
export interface MirrorOutcome {
  warnings: string[];
}

/** What shows that the ledger is not what it was. */
export interface Contradiction {
  /** What was found, as the end of a sentence; it names both files. */
  found: string;
  /** What people must do, in sentences. */
  todo: string;
}

/** Never throws for what the store or the disk does. */
export interface LedgerMirror {
  /** Looks once whether the mirror holds more than the ledger. Changes nothing; for the start of a run. */
  compare(signal?: AbortSignal): Promise<MirrorOutcome>;
  /** Brings a month up to date, and every month that was left behind earlier. For `LedgerOptions.onAppended`. */
  onAppended(month: string): Promise<MirrorOutcome>;
  /** A month that is shorter here than its mirror, or differs from it, as it was looked at last. Asks nobody. */
  contradiction(): Contradiction | undefined;
  /** Where a month is mirrored to. */
  uriOf(month: string): string;
}

/** @throws {RangeError} for a prefix without its final `/` */
export function openLedgerMirror(options: MirrorOptions): LedgerMirror {
  if (options.prefix !== "" && !options.prefix.endsWith("/")) {
    throw new RangeError(`"${options.prefix}" must end in "/"`);
  }
  return new Mirror(options);
}

/** Key of a month in the mirror. */
export function mirrorKey(prefix: string, month: string): string {
  return `${prefix}_manifests/${month}`;
}

interface Known {
  etag: string;
  size: number;
  sha256: string;
}

class Mirror implements LedgerMirror {
  readonly #options: MirrorOptions;
  /** Months that the mirror is known to lack something of. */
  readonly #behind = new Set<string>();
  readonly #known = new Map<string, Known>();
  #compared = false;
  /** Months whose loss was told: every append would say it again. */
  readonly #told = new Set<string>();
  readonly #contradicted = new Map<string, Contradiction>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  async compare(signal?: AbortSignal): Promise<MirrorOutcome> {
    const warnings: string[] = [];
    await this.#compare(warnings, signal);
    return { warnings };
  }

  async onAppended(month: string): Promise<MirrorOutcome> {
    this.#behind.add(month);
    const warnings: string[] = [];
    // Once a process: an earlier one may have ended before its last append was mirrored.
    if (!this.#compared) await this.#compare(warnings);
    return await this.#catchUp(warnings);
  }

  contradiction(): Contradiction | undefined {
    const [first] = [...this.#contradicted].sort(([a], [b]) => a < b ? -1 : 1);
    return first?.[1];
  }

  async #compare(warnings: string[], signal = this.#options.signal): Promise<void> {
    const { store, prefix, fs, root } = this.#options;
    const folder = mirrorKey(prefix, "");
    try {
      const sizes = new Map<string, number>();
      // The mirror first: it only ever follows the ledger, so that what is added meanwhile never looks like a loss.
      for await (const { key, size } of store.list(folder, signal)) sizes.set(key.slice(folder.length), size);
      const months = await ledgerMonths(fs, root);
      for (const month of months) {
        const size = await this.#sizeOf(month);
        const mirrored = sizes.get(month);
        if (size !== mirrored) this.#behind.add(month);
        if (mirrored !== undefined && size < mirrored) warnings.push(await this.#lost(month, { size, mirrored }));
      }
      for (const [month, mirrored] of [...sizes].sort()) {
        if (isMonth(month) && !months.includes(month)) warnings.push(await this.#lost(month, { mirrored }));
      }
      this.#compared = true;
    } catch (error) {
      warnings.push(`Cannot compare the ledger with its mirror at ${store.uri}: ${reasonOf(error)}`);
    }
  }

  async #sizeOf(month: string): Promise<number> {
    // Through a handle: the look at a name may be an older one where a share keeps answers for a while.
    await using handle = await this.#options.fs.openRead(join(this.#options.root, month));
    return (await handle.stat()).size;
  }

  /** What is said once of a month of which the mirror has more. */
  async #lost(month: string, { size, mirrored }: { size?: number; mirrored: number }): Promise<string> {
    this.#told.add(month);
    const here = join(this.#options.root, month);
    const found = size === undefined ? `"${here}" is not there` : `"${here}" has ${size} bytes`;
    const lost = `the ledger has lost lines: ${found}, and its mirror ${this.uriOf(month)} has ${mirrored} bytes`;
    return await this.#contradict(month, lost);
  }

  /**
   * Notes it, and returns it in sentences. A last line that was torn here, or lines that stand in the file of another
   * month, are told and no more: every other line of the mirror is still in the ledger.
   */
  async #contradict(month: string, found: string): Promise<string> {
    const todo = this.#whatToDo(month);
    // What cannot be looked at excuses nothing (SAFETY S18).
    if (!await this.#isWhole(month).catch(() => false)) this.#contradicted.set(month, { found, todo });
    return `${found[0].toUpperCase()}${found.slice(1)}. ${todo}`;
  }

  /** Whether the ledger still has every line of a month's mirror, but for a last one that was torn here. */
  async #isWhole(month: string): Promise<boolean> {
    const { fs, root } = this.#options;
    const theirs = await this.#readMirror(month);
    const months = await ledgerMonths(fs, root);
    if (months.includes(month) && isTornCopy(await this.#readBytes(month), theirs)) return true;
    const last = Buffer.from(theirs.subarray(theirs.lastIndexOf(NEWLINE, -2) + 1));
    for (const other of months.filter((other) => other !== month && last.length > 0)) {
      // The chain of that month says whether the lines before it are there too.
      if (Buffer.from(await this.#readBytes(other)).includes(last)) return true;
    }
    return false;
  }

  async #readMirror(month: string): Promise<Uint8Array> {
    const { store, prefix, signal } = this.#options;
    const key = mirrorKey(prefix, month);
    const info = await store.head(key, signal);
    // Whoever asks saw it in the listing, or was told of its size.
    if (info === undefined) {
      throw new PipelineError("ledger/mirror-gone", `Cannot read "${key}": it is not there`, {
        hint: "The listing of the bucket shows it: ask who looks after the store.",
      });
    }
    if (info.size > LARGEST) {
      throw new PipelineError("ledger/mirror-too-large", `Cannot read "${key}": it has ${info.size} bytes`, {
        hint: "Copy this month to the archive by other means.",
      });
    }
    const bytes = new Uint8Array(info.size);
    for (let start = 0; start < bytes.length; start += RANGE) {
      const end = Math.min(start + RANGE, bytes.length);
      bytes.set(await store.get(key, { start, end, versionId: info.versionId ?? undefined }, signal), start);
    }
    return bytes;
  }

  uriOf(month: string): string {
    return `${this.#options.store.uri}/${mirrorKey(this.#options.prefix, month)}`;
  }

  #whatToDo(month: string): string {
    return `Stop all runs and keep both files, "${join(this.#options.root, month)}" and ${
      this.uriOf(month)
    }. Compare ` +
      `them line by line, as with diff. If ${month} here has no line that the mirror lacks, put the mirror's copy ` +
      "in its place. If it has, keep the mirror's copy under another key and remove it from this one, so that the file " +
      `here is mirrored anew. Then run: labferry manifest verify ${this.#options.root}`;
  }

  async #catchUp(warnings: string[]): Promise<MirrorOutcome> {
    const { fs, root, clock, signal, waitMs = 60_000 } = this.#options;
    for (const month of [...this.#behind].sort()) {
      try {
        // One at a time over all hosts: of two that mirror at once, the one with the shorter file could come last.
        const path = join(root, MIRROR_LOCK);
        await withFileLock({ fs, path, clock, waitMs, signal }, () => this.#mirror(month));
        this.#behind.delete(month);
        this.#contradicted.delete(month);
      } catch (error) {
        const isLoss = error instanceof PipelineError && error.code === "ledger/mirror-shrinks";
        if (isLoss && this.#told.has(month)) continue;
        if (isLoss) this.#told.add(month);
        warnings.push(`Cannot mirror the ledger to ${this.uriOf(month)}: ${reasonOf(error)}`);
      }
    }
    return { warnings };
  }

  async #mirror(month: string): Promise<void> {
    const { store, prefix, signal } = this.#options;
    const key = mirrorKey(prefix, month);
    const ours = await this.#readMonth(month);
    const theirs = await store.head(key, signal);
    if (theirs === undefined && ours.length === 0) return;
    if (theirs !== undefined) {
      await this.#expectPrefix(month, theirs, ours);
      if (theirs.size === ours.length) return;
    }
    const digest = createHash("sha256").update(ours).digest();
    const put = await store.put(key, ours, {
      metadata: { sha256: digest.toString("hex") },
      sha256: digest.toString("base64"),
      ifAbsent: theirs === undefined,
    }, signal);
    if (!await this.#holds(key, ours)) {
      throw new PipelineError(
        "ledger/mirror-differs",
        `Cannot trust "${key}": it reads back other bytes than were put`,
        { hint: "The store does not keep what it is given. Have it checked; the ledger here is whole." },
      );
    }
    this.#remember(key, put.etag, ours);
  }

  /** The whole lines of a month: a line under way, or torn, is left for the next time. */
  async #readMonth(month: string): Promise<Uint8Array> {
    const bytes = await this.#readBytes(month);
    return bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  }

  async #readBytes(month: string): Promise<Uint8Array> {
    const path = join(this.#options.root, month);
    try {
      await using handle = await this.#options.fs.openRead(path);
      const { size } = await handle.stat();
      if (size > LARGEST) {
        throw new PipelineError(
          "ledger/mirror-too-large",
          `Cannot mirror "${path}": it has ${size} bytes, wanted at most ${LARGEST}`,
          { hint: "Copy this month to the archive by other means." },
        );
      }
      return await readAt(handle, 0, size);
    } catch (error) {
      throw ioError(error, { verb: "read the ledger", path });
    }
  }

  /** The mirror may only grow: what is there must be how ours begins. */
  async #expectPrefix(month: string, theirs: ObjectInfo, ours: Uint8Array): Promise<void> {
    const key = mirrorKey(this.#options.prefix, month);
    const refuse = async (found: string) => {
      await this.#contradict(
        month,
        `the mirror ${this.uriOf(month)} contradicts the ledger "${join(this.#options.root, month)}": ${found}`,
      );
      return new PipelineError("ledger/mirror-shrinks", `Cannot replace "${key}": ${found}`, {
        hint: `The ledger here has lost lines or was changed. ${this.#whatToDo(month)}`,
      });
    };
    if (theirs.size > ours.length) {
      throw await refuse(`it has ${theirs.size} bytes, more than the ${ours.length} bytes here`);
    }
    const head = ours.subarray(0, theirs.size);
    const known = this.#known.get(key);
    const unchanged = known !== undefined && theirs.etag === known.etag && theirs.size === known.size &&
      createHash("sha256").update(head).digest("hex") === known.sha256;
    if (unchanged) return;
    if (!await this.#holds(key, head)) throw await refuse("its lines are not those the ledger begins with");
    this.#remember(key, theirs.etag, head);
  }

  async #holds(key: string, wanted: Uint8Array): Promise<boolean> {
    const { store, signal } = this.#options;
    const info = await store.head(key, signal);
    if (info?.size !== wanted.length) return false;
    for (let start = 0; start < wanted.length; start += RANGE) {
      const end = Math.min(start + RANGE, wanted.length);
      const range = { start, end, versionId: info.versionId ?? undefined };
      if (Buffer.compare(await store.get(key, range, signal), wanted.subarray(start, end)) !== 0) return false;
    }
    return true;
  }

  #remember(key: string, etag: string | null, bytes: Uint8Array): void {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (etag === null) this.#known.delete(key);
    else this.#known.set(key, { etag, size: bytes.length, sha256 });
  }
}

/** Whether `ours` has all that `theirs` has, but that the last line of `theirs` was torn here (and perhaps closed since). */
function isTornCopy(ours: Uint8Array, theirs: Uint8Array): boolean {
  let same = 0;
  while (same < theirs.length && ours[same] === theirs[same]) same++;
  if (same === theirs.length) return true;
  const start = theirs.subarray(0, same).lastIndexOf(NEWLINE) + 1;
  const isLast = theirs.indexOf(NEWLINE, start) === theirs.length - 1;
  return isLast && same > start && (same === ours.length || ours[same] === NEWLINE);
}

function reasonOf(error: unknown): string {
  if (error instanceof PipelineError && error.hint !== undefined) return `${error.message}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
