/**
 * Open files of a real disk behind the asynchronous port.
 * @module
 */
import fs from "node:fs";
import { DirectCursor, openFresh } from "./disk_fresh.ts";
import { expectSame, fdStat, fileStat, systemError } from "./disk_sync.ts";
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
    return await this.#file.tryLock(true);
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

function readAt(fd: number, target: Uint8Array, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, 0, target.length, position, (error, got) => error ? reject(error) : resolve(got));
  });
}

/** A file whose reads reach the medium where the system allows. It cannot be written. */
export class FreshDiskHandle implements FileHandle {
  readonly medium: Medium;
  readonly #fd: number;
  readonly #stat: FileStat;
  readonly #cursor: DirectCursor | undefined;
  #closed = false;

  constructor(path: string, stat: FileStat) {
    const { fd, medium } = openFresh(path, stat);
    this.#fd = fd;
    this.#stat = stat;
    this.medium = medium;
    this.#cursor = medium === "direct" ? new DirectCursor(stat.size) : undefined;
    try {
      expectSame(path, stat, fdStat(fd, stat));
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  async read(buffer: Uint8Array): Promise<number> {
    if (this.#cursor === undefined) return await readAt(this.#fd, buffer, null);
    const next = this.#cursor.next(buffer);
    if (next === undefined) return 0;
    return this.#cursor.took(next, buffer, await readAt(this.#fd, next.target, next.position));
  }

  // deno-lint-ignore require-await -- a promise in the port
  async stat(): Promise<FileStat> {
    return fdStat(this.#fd, this.#stat);
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
    fs.closeSync(this.#fd);
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
