/**
 * Direct reads want aligned buffers, offsets and lengths: this decides them, without making a call itself.
 * @module
 */
import { alignedBuffer, ALIGNMENT, isAligned } from "./native.ts";

/** Where the next direct read goes and what of it is wanted. */
export interface DirectRead {
  target: Uint8Array;
  position: number;
  /** The read went through an aligned buffer: the wanted bytes begin here. Undefined when it fills the caller's. */
  skip?: number;
}

/** The cursor of a file read directly: decides buffers and offsets; the caller makes the system's call. */
export class DirectCursor {
  #offset = 0;
  #bounce: Uint8Array | undefined;
  #ended = false;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** The next read for `buffer`; undefined at the end of the file. */
  next(buffer: Uint8Array): DirectRead | undefined {
    if (this.#ended || buffer.length === 0) return undefined;
    const inStep = this.#offset % ALIGNMENT === 0;
    if (inStep && isAligned(buffer)) return { target: buffer, position: this.#offset };
    const whole = buffer.subarray(0, buffer.length - buffer.length % ALIGNMENT);
    if (inStep && isAligned(whole)) return { target: whole, position: this.#offset };
    this.#bounce ??= alignedBuffer(64 * 1024);
    const skip = this.#offset % ALIGNMENT;
    return { target: this.#bounce, position: this.#offset - skip, skip };
  }

  /** Takes what the system's call returned; gives how many bytes of `buffer` are filled now. */
  took(read: DirectRead, buffer: Uint8Array, got: number): number {
    const skip = read.skip ?? 0;
    const bytes = Math.max(0, Math.min(got - skip, buffer.length));
    if (read.skip !== undefined) buffer.set(read.target.subarray(skip, skip + bytes));
    this.#offset += bytes;
    // A read after a short one would not be aligned; at the size the file had when opened it is not needed.
    if (bytes === 0 || (got < read.target.length && this.#offset >= this.#size)) this.#ended = true;
    return bytes;
  }

  seek(offset: number): void {
    this.#offset = offset;
    this.#ended = false;
  }
}
