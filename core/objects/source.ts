/**
 * What is uploaded: a file or bytes, read in one pass between two equal stats (SAFETY S9).
 * @module
 */
import { KIND_WORDS } from "../io/file_system.ts";
import { createHash, type Hash } from "node:crypto";
import type { ChangeIdentity } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { PipelineError } from "../errors.ts";
import { sameIdentity } from "../safety/incarnation.ts";
import type { Budget } from "./budget.ts";
import { countParts, sha256Base64 } from "./checksum.ts";

/** An open source. */
export interface SourceHandle extends AsyncDisposable {
  /** Reads at most `buffer.length` bytes at the cursor; 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
  stat(): Promise<ChangeIdentity>;
}

/** Something that can be read from its beginning, any number of times. */
export interface UploadSource {
  /** For words: an OS path. */
  readonly name: string;
  /** Bytes, as first seen. */
  readonly size: number;
  /** The change identity now, found by name; undefined when it is gone. */
  stat(): Promise<ChangeIdentity | undefined>;
  open(): Promise<SourceHandle>;
}

/** What one whole pass over a source gave. */
export interface HashedSource {
  /** Hex SHA-256 of all bytes. */
  sha256: string;
  /** Base64 SHA-256 of each part, in order. */
  parts: string[];
  identity: ChangeIdentity;
}

/**
 * Returns a source for the file at `path`.
 * @throws {PipelineError} `s3/source-missing`, `s3/not-a-file`
 */
export async function fileSource(fs: FileSystem, path: string): Promise<UploadSource> {
  const stat = await fs.lstat(path);
  if (!stat) {
    throw new PipelineError("s3/source-missing", `Cannot upload "${path}": it is not there`, {
      hint: "It was moved or removed while the run went on. Look for it, then run again.",
    });
  }
  if (stat.kind !== "file") {
    throw new PipelineError(
      "s3/not-a-file",
      `Cannot upload "${path}": it is ${KIND_WORDS[stat.kind]}, wanted a regular file`,
      {
        hint: "Something was put in its place while the run went on. Look at it, then run again.",
      },
    );
  }
  return { name: path, size: stat.size, stat: () => fs.lstat(path), open: () => fs.openRead(path) };
}

/** Returns a source for bytes in memory, such as a sidecar or the marker of an empty folder. */
export function bytesSource(name: string, bytes: Uint8Array): UploadSource {
  const identity: ChangeIdentity = { dev: null, ino: null, size: bytes.length, mtimeMs: null, ctimeMs: null };
  return {
    name,
    size: bytes.length,
    stat: () => Promise.resolve(identity),
    open: () => {
      let at = 0;
      return Promise.resolve({
        read: (buffer: Uint8Array) => {
          const piece = bytes.subarray(at, at + buffer.length);
          buffer.set(piece);
          at += piece.length;
          return Promise.resolve(piece.length);
        },
        stat: () => Promise.resolve(identity),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
}

/** The error for a source that changed while it was read. */
export function sourceChanged(source: UploadSource, found: string): PipelineError {
  return new PipelineError(
    "s3/source-changed",
    `Cannot upload "${source.name}": ${found}, wanted a file that stays as it is`,
    { hint: "Something still writes to this file. Wait until the instrument has finished, then run again." },
  );
}

/**
 * One pass over a source from first byte to last: `next` fills a buffer and feeds the whole-file hash, `finish` checks
 * that the source is as it was. The two stats are those of the open handle and, at the end, of the name as well.
 */
export class SourcePass implements AsyncDisposable {
  readonly #source: UploadSource;
  readonly #handle: SourceHandle;
  readonly #before: ChangeIdentity;
  readonly #hash: Hash = createHash("sha256");
  #read = 0;

  private constructor(source: UploadSource, handle: SourceHandle, before: ChangeIdentity) {
    this.#source = source;
    this.#handle = handle;
    this.#before = before;
  }

  /** @throws {PipelineError} `s3/source-changed` when the size is no longer the one first seen. */
  static async begin(source: UploadSource): Promise<SourcePass> {
    const handle = await source.open();
    try {
      const before = await handle.stat();
      if (before.size !== source.size) {
        throw sourceChanged(source, `it has ${before.size} bytes now and had ${source.size}`);
      }
      return new SourcePass(source, handle, before);
    } catch (error) {
      await handle[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Fills all of `buffer` with the next bytes. */
  async next(buffer: Uint8Array): Promise<void> {
    for (let filled = 0; filled < buffer.length;) {
      const got = await this.#handle.read(buffer.subarray(filled));
      if (got === 0) {
        throw sourceChanged(this.#source, `it ended at byte ${this.#read + filled} of ${this.#source.size}`);
      }
      filled += got;
    }
    this.#hash.update(buffer);
    this.#read += buffer.length;
  }

  /** @throws {PipelineError} `s3/source-changed` */
  async finish(): Promise<Omit<HashedSource, "parts">> {
    if (this.#read !== this.#source.size) throw new TypeError("Cannot finish a pass before its last byte");
    const after = await this.#handle.stat();
    const byName = await this.#source.stat();
    if (!byName) throw sourceChanged(this.#source, "it vanished while it was read");
    if (!sameIdentity(this.#before, after) || !sameIdentity(after, byName)) {
      throw sourceChanged(this.#source, "it changed while it was read");
    }
    return { sha256: this.#hash.digest("hex"), identity: this.#before };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle[Symbol.asyncDispose]();
  }
}

/**
 * Reads all of a source once and returns its hashes. A part that is larger than the budget is hashed in pieces of it.
 * @throws {PipelineError} `s3/source-changed`
 */
export async function hashSource(
  source: UploadSource,
  options: { partSize: number; budget: Budget; signal: AbortSignal },
): Promise<HashedSource> {
  const { partSize, budget, signal } = options;
  await using pass = await SourcePass.begin(source);
  using lease = await budget.acquire(Math.min(partSize, source.size, budget.total), signal);
  const parts: string[] = [];
  for (let number = 1; number <= countParts(source.size, partSize); number++) {
    signal.throwIfAborted();
    const length = Math.min(partSize, source.size - (number - 1) * partSize);
    const bytes = lease.bytes.subarray(0, length);
    if (bytes.length < length) parts.push(await hashInPieces(pass, { length, bytes, signal }));
    else {
      await pass.next(bytes);
      parts.push(await sha256Base64(bytes));
    }
  }
  return { ...await pass.finish(), parts };
}

/** The base64 SHA-256 of the next `length` bytes, read into `bytes` again and again. */
async function hashInPieces(
  pass: SourcePass,
  { length, bytes, signal }: { length: number; bytes: Uint8Array; signal: AbortSignal },
): Promise<string> {
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= bytes.length) {
    signal.throwIfAborted();
    const piece = bytes.subarray(0, left);
    await pass.next(piece);
    hash.update(piece);
  }
  return hash.digest("base64");
}
