/** Where bodies are kept: in memory, or as files of a folder so that they may be larger than memory. */
import { join } from "@std/path";

/** A body kept somewhere. */
export interface Blob {
  readonly size: number;
  /** Bytes `start` to `end` (exclusive), as a stream. */
  read(start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>>;
  remove(): Promise<void>;
}

/** A body being written. */
export interface BlobWriter {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Flips one bit of the byte at `offset`. */
  damage(offset: number): Promise<void>;
  finish(): Promise<Blob>;
  discard(): Promise<void>;
}

export type BlobStorage = () => Promise<BlobWriter>;

/** Keeps bodies in memory. */
export function memoryBlobs(): Promise<BlobWriter> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  return Promise.resolve({
    write: (bytes) => {
      chunks.push(bytes.slice());
      return Promise.resolve();
    },
    damage: (offset) => {
      for (let at = 0, index = 0; index < chunks.length; at += chunks[index++].length) {
        if (offset < at + chunks[index].length) {
          chunks[index][offset - at] ^= 1;
          break;
        }
      }
      return Promise.resolve();
    },
    finish: () => Promise.resolve(new MemoryBlob(joined(chunks))),
    discard: () => Promise.resolve(),
  });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

class MemoryBlob implements Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }
  get size(): number {
    return this.#bytes.length;
  }
  read(start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>> {
    const bytes = this.#bytes.subarray(start, end);
    return new ReadableStream({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes);
        controller.close();
      },
    });
  }
  remove(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps each body as a file of `folder`, which must exist. */
export function folderBlobs(folder: string): BlobStorage {
  let number = 0;
  return async () => {
    const path = join(folder, `${++number}.blob`);
    const file = await Deno.open(path, { read: true, write: true, createNew: true });
    let size = 0;
    return {
      write: async (bytes) => {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        size += bytes.length;
      },
      damage: async (offset) => {
        const byte = new Uint8Array(1);
        await file.seek(offset, Deno.SeekMode.Start);
        await file.read(byte);
        byte[0] ^= 1;
        await file.seek(offset, Deno.SeekMode.Start);
        await file.write(byte);
      },
      finish: () => {
        file.close();
        return Promise.resolve(new FileBlob(path, size));
      },
      discard: async () => {
        file.close();
        await Deno.remove(path);
      },
    };
  };
}

const CHUNK_BYTES = 256 * 1024;

class FileBlob implements Blob {
  readonly #path: string;
  readonly size: number;
  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size;
  }
  read(start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>> {
    const path = this.#path;
    let at = start;
    let file: Deno.FsFile | undefined;
    return new ReadableStream({
      async pull(controller) {
        if (!file) {
          file = await Deno.open(path);
          await file.seek(start, Deno.SeekMode.Start);
        }
        const buffer = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
        const got = buffer.length === 0 ? null : await file.read(buffer);
        if (got === null) {
          file.close();
          controller.close();
          return;
        }
        at += got;
        controller.enqueue(buffer.subarray(0, got));
      },
      cancel() {
        file?.close();
      },
    });
  }
  async remove(): Promise<void> {
    await Deno.remove(this.#path);
  }
}

/** Reads across the bodies of an object in parts as if they were one. */
export async function* readAcross(
  blobs: readonly Blob[],
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let at = 0;
  for (const blob of blobs) {
    const from = Math.max(0, start - at);
    const to = Math.min(blob.size, end - at);
    if (from < to) yield* blob.read(from, to);
    at += blob.size;
  }
}
