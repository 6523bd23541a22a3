/**
 * Lines of a ledger file, read forwards in blocks or backwards from the end, with flat memory.
 * @module
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "../io/file_system.ts";

const BLOCK = 64 * 2 ** 10;
/** A record is about 1 KiB; what is longer than this (a file filled by a failed disk) is no record. */
export const LONGEST_LINE = 4 * 2 ** 20;
const NEWLINE = 0x0a;

/** One line without its newline. */
export interface Line {
  /** 1-based. */
  number: number;
  /** Undefined when the line is longer than `LONGEST_LINE`. */
  bytes: Uint8Array | undefined;
  /** False for a last line that no newline ends. */
  closed: boolean;
  /** Lower-case hex SHA-256 of the line without its newline. */
  sha256(): string;
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Collects one line; keeps its bytes up to the limit and its hash beyond. */
class LineBuilder {
  #parts: Uint8Array[] = [];
  #length = 0;
  #long: ReturnType<typeof createHash> | undefined;

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    if (this.#long === undefined && this.#length > LONGEST_LINE) {
      this.#long = createHash("sha256");
      for (const part of this.#parts) this.#long.update(part);
      this.#parts = [];
    }
    if (this.#long) this.#long.update(bytes);
    else this.#parts.push(bytes.slice());
  }

  get length(): number {
    return this.#length;
  }

  finish(number: number, closed: boolean): Line {
    if (this.#long) {
      const digest = this.#long.digest("hex");
      return { number, closed, bytes: undefined, sha256: () => digest };
    }
    const bytes = this.#parts.length === 1 ? this.#parts[0] : concat(this.#parts, this.#length);
    return { number, closed, bytes, sha256: () => sha256Hex(bytes) };
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Reads lines from the handle's cursor to the end of the file. */
export async function* readLines(handle: FileHandle): AsyncGenerator<Line> {
  const block = new Uint8Array(BLOCK);
  let builder = new LineBuilder();
  let number = 1;
  for (let got = await handle.read(block); got > 0; got = await handle.read(block)) {
    let from = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0 && end < got; end = block.indexOf(NEWLINE, from)) {
      builder.add(block.subarray(from, end));
      yield builder.finish(number++, true);
      builder = new LineBuilder();
      from = end + 1;
    }
    builder.add(block.subarray(from, got));
  }
  if (builder.length > 0) yield builder.finish(number, false);
}

/** Reads exactly `length` bytes at `offset`, or fewer when the file ends there. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  await handle.seek(offset);
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const n = await handle.read(bytes.subarray(got));
    if (n === 0) break;
    got += n;
  }
  return bytes.subarray(0, got);
}

/** The last line of a file of `size` bytes: its hash, and whether a newline ends it. Undefined for an empty file. */
export async function readTail(
  handle: FileHandle,
  size: number,
): Promise<{ sha256: string; closed: boolean } | undefined> {
  if (size === 0) return undefined;
  const closed = (await readAt(handle, size - 1, 1))[0] === NEWLINE;
  const end = closed ? size - 1 : size;
  let start = 0;
  for (let to = end; to > 0;) {
    const from = Math.max(0, to - BLOCK);
    const newline = (await readAt(handle, from, to - from)).lastIndexOf(NEWLINE);
    if (newline >= 0) {
      start = from + newline + 1;
      break;
    }
    to = from;
  }
  const hash = createHash("sha256");
  for (let at = start; at < end;) {
    const bytes = await readAt(handle, at, Math.min(BLOCK, end - at));
    if (bytes.length === 0) throw new RangeError(`the file ended at ${at} of ${end} bytes`);
    hash.update(bytes);
    at += bytes.length;
  }
  return { sha256: hash.digest("hex"), closed };
}
