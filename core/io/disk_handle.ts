/**
 * Open files of a real disk behind the asynchronous port.
 * @module
 */
import { DirectCursor } from "./direct_cursor.ts";
import { type FreshFile, openFresh } from "./disk_fresh.ts";
import { expectSame, fileStat, systemError } from "./disk_stat.ts";
import { tryLock } from "./try_lock.ts";
import type { FileHandle, FileStat, Medium } from "./file_system.ts";

/** An open file of the runtime. */
export class DiskHandle implements FileHandle {
  readonly medium: Medium = "cached";
  readonly #file: Deno.FsFile;
  #closed = false;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async read(buffer: Uint8Array): Promise<number> {
    return await this.#file.read(buffer) ?? 0;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
  }

  async stat(): Promise<FileStat> {
    return fileStat(await this.#file.stat());
  }

  async sync(): Promise<void> {
    await this.#file.sync();
  }

  async setMtime(mtimeMs: number): Promise<void> {
    await this.#file.utime(new Date(), new Date(mtimeMs));
  }

  async truncate(bytes: number): Promise<void> {
    await this.#file.truncate(bytes);
  }

  async seek(offset: number): Promise<void> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
  }

  async tryLock(): Promise<boolean> {
    return await tryLock(this.#file);
  }

  // deno-lint-ignore require-await -- closing is a promise in the port; here it ends at once
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A file whose reads reach the medium where the system allows. It cannot be written. */
export class FreshDiskHandle implements FileHandle {
  readonly medium: Medium;
  readonly #file: FreshFile;
  readonly #cursor: DirectCursor | undefined;
  #closed = false;

  constructor(path: string, stat: FileStat) {
    this.#file = openFresh(path, stat);
    this.medium = this.#file.medium;
    this.#cursor = this.#file.aligned ? new DirectCursor(stat.size) : undefined;
    try {
      expectSame(path, stat, this.#file.stat());
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  async read(buffer: Uint8Array): Promise<number> {
    if (this.#cursor === undefined) return await this.#file.read(buffer, null);
    const next = this.#cursor.next(buffer);
    if (next === undefined) return 0;
    return this.#cursor.took(next, buffer, await this.#file.read(next.target, next.position));
  }

  // deno-lint-ignore require-await -- a promise in the port
  async stat(): Promise<FileStat> {
    return this.#file.stat();
  }

  // deno-lint-ignore require-await -- a promise in the port
  async seek(offset: number): Promise<void> {
    if (this.#cursor === undefined) throw systemError("ESPIPE", "a fresh file without direct reads is read in order");
    this.#cursor.seek(offset);
  }

  // deno-lint-ignore require-await -- a promise in the port
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  write = () => this.#refuse();
  sync = () => this.#refuse();
  setMtime = () => this.#refuse();
  truncate = () => this.#refuse();
  tryLock = () => this.#refuse();

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuse(): Promise<never> {
    return Promise.reject(systemError("EBADF", "a file opened for fresh reads cannot be written or locked"));
  }
}
