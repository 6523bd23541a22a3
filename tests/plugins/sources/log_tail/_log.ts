/** A log in memory that tests append to, empty, rename and take away, and a follower of it. */
import { Buffer } from "node:buffer";
import { TIMESTAMP_LINE } from "../../../../core/options.ts";
import type { FollowedFile, FollowedFiles } from "../../../../core/ports.ts";
import { Follower, type FollowOptions } from "../../../../plugins/sources/log_tail/follower.ts";
import type { Position } from "../../../../plugins/sources/log_tail/position.ts";

export const PATH = "/log/Fusion.log";
export const T = "2026-01-02 03:04:05";

class MemoryFile {
  bytes = Buffer.alloc(0);
  constructor(readonly identity: string) {}
}

export class MemoryLogs implements FollowedFiles {
  readonly files = new Map<string, MemoryFile>();
  opened = 0;
  time = 0;
  /** Files that were made so far. */
  #made = 0;
  readonly told: string[] = [];

  append(content: string | Uint8Array, path = PATH): void {
    const file = this.files.get(path) ?? new MemoryFile(`id${++this.#made}`);
    file.bytes = Buffer.concat([file.bytes, Buffer.from(content as string)]);
    this.files.set(path, file);
  }

  empty(path = PATH): void {
    this.files.get(path)!.bytes = Buffer.alloc(0);
  }

  rename(to: string, path = PATH): void {
    this.files.set(to, this.files.get(path)!);
    this.files.delete(path);
  }

  remove(path = PATH): void {
    this.files.delete(path);
  }

  open(path: string): Promise<FollowedFile | undefined> {
    const file = this.files.get(path);
    if (file === undefined) return Promise.resolve(undefined);
    this.opened++;
    return Promise.resolve({
      identity: file.identity,
      size: () => Promise.resolve(file.bytes.length),
      read(at, buffer) {
        const part = file.bytes.subarray(at, at + buffer.length);
        buffer.set(part);
        return Promise.resolve(part.length);
      },
      [Symbol.asyncDispose]: () => {
        this.opened--;
        return Promise.resolve();
      },
    });
  }

  identity = (path: string) => Promise.resolve(this.files.get(path)?.identity);

  async find(_path: string, identity: string): Promise<FollowedFile | undefined> {
    for (const [path, file] of this.files) if (file.identity === identity) return await this.open(path);
    return undefined;
  }

  async after(path: string, { identity }: FollowedFile): Promise<FollowedFile | undefined> {
    const number = (id: string) => Number(id.slice("id".length));
    const later = [...this.files].filter(([name, file]) => name !== path && number(file.identity) > number(identity));
    later.sort(([, a], [, b]) => number(a.identity) - number(b.identity));
    return later.length === 0 ? undefined : await this.open(later[0][0]);
  }

  follow(position?: Position, more: Partial<FollowOptions> = {}): Follower {
    return new Follower(position, {
      path: PATH,
      rules: { start: new RegExp(TIMESTAMP_LINE), find: [], context: [] },
      start: "beginning",
      chunkBytes: 64,
      recordBytes: 4096,
      settleMs: 1000,
      files: this,
      log: { info: (message) => void this.told.push(message), warn: (message) => void this.told.push(message) },
      now: () => this.time,
      ...more,
    });
  }
}

/** What a follower finds until there is nothing for a few looks in turn, each two seconds after the other. */
export async function drain(logs: MemoryLogs, follower: Follower): Promise<{ texts: string[]; position?: Position }> {
  const texts: string[] = [];
  let position: Position | undefined;
  for (let idle = 0; idle < 8;) {
    const chunk = await follower.next();
    if (chunk === undefined) {
      idle++;
      logs.time += 2000;
      continue;
    }
    idle = 0;
    texts.push(...chunk.records.map(({ text }) => text));
    ({ position } = chunk);
  }
  return { texts, position };
}
