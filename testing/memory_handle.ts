/**
 * An open file of the file system in memory.
 * @module
 */
import type { FileStat, Medium } from "../core/io/file_system.ts";
import type { SyncHandle } from "../core/io/sync_primitives.ts";
import { type MemoryNodes, type Node, statOf } from "./memory_nodes.ts";
import { type Fault, type Operation, systemError } from "./memory_types.ts";

/** Dies with a restart; a lock it holds goes when it is closed. */
export class MemoryHandle implements SyncHandle {
  readonly medium: Medium;
  readonly #disk: MemoryNodes;
  readonly #path: string;
  readonly #node: Node;
  readonly #writes: boolean;
  readonly #life: number;
  #at = 0;
  #closed = false;

  constructor(disk: MemoryNodes, path: string, options: { node: Node; medium?: Medium; writes?: boolean }) {
    this.#disk = disk;
    this.#path = path;
    this.#node = options.node;
    this.medium = options.medium ?? "cached";
    this.#writes = options.writes ?? false;
    this.#life = disk._life;
  }

  stat(): FileStat {
    this.#enter("stat");
    return statOf(this.#node);
  }

  read(buffer: Uint8Array): number {
    const fault = this.#enter("read");
    const { content, size } = this.#node;
    const got = Math.min(buffer.length, fault?.short ?? Infinity, Math.max(0, size - this.#at));
    buffer.set(content.subarray(this.#at, this.#at + got));
    if (fault?.flipBit !== undefined && got > 0) flip(buffer.subarray(0, got), fault.flipBit);
    this.#at += got;
    return got;
  }

  write(bytes: Uint8Array): void {
    const fault = this.#enterToWrite("write");
    const flips = fault?.flipBit !== undefined && bytes.length > 0;
    this.#disk._write(this.#node, this.#at, flips ? flip(bytes.slice(), fault.flipBit ?? 0) : bytes);
    this.#at += bytes.length;
  }

  setMtime(mtimeMs: number): void {
    this.#enterToWrite("setMtime");
    this.#disk._setMtime(this.#node, mtimeMs);
  }

  sync(): void {
    this.#enter("sync");
    this.#disk._flushContent(this.#node);
  }

  truncate(bytes: number): void {
    this.#enterToWrite("truncate");
    this.#disk._truncate(this.#node, bytes);
  }

  seek(offset: number): void {
    this.#at = offset;
  }

  /** Excludes every other handle, of this process too, as the system's lock does. */
  tryLock(): boolean {
    this.#enter("tryLock");
    if (this.#node.lockedBy !== undefined && this.#node.lockedBy !== this) return false;
    this.#node.lockedBy = this;
    return true;
  }

  close(): void {
    if (this.#closed || this.#life !== this.#disk._life) return;
    try {
      this.#disk._enter("close", this.#path);
    } finally {
      this.#closed = true;
      if (this.#node.lockedBy === this) this.#node.lockedBy = undefined;
    }
  }

  #enter(operation: Operation): Fault | void {
    const fault = this.#disk._enter(operation, this.#path);
    if (this.#life !== this.#disk._life || this.#closed) throw systemError("EBADF", this.#path);
    return fault;
  }

  #enterToWrite(operation: Operation): Fault | void {
    const fault = this.#enter(operation);
    if (!this.#writes) throw systemError("EBADF", this.#path);
    this.#disk._writable(this.#node, this.#path);
    return fault;
  }
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  bytes[(bit >> 3) % bytes.length] ^= 1 << (bit & 7);
  return bytes;
}
