/**
 * Fresh reads on Windows: a second handle on the file that bypasses the cache (`FILE_FLAG_NO_BUFFERING`). On a share the
 * reads go to the server; what the server keeps in its own memory no client can tell.
 * @module
 */
import type { FreshFile } from "./disk_fresh.ts";
import { fileStat, osPath } from "./disk_stat.ts";
import type { FileStat, Medium } from "./file_system.ts";
import { alignedBuffer, ALIGNMENT } from "./native.ts";
import {
  ERROR_HANDLE_EOF,
  ERROR_INVALID_FUNCTION,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_SUPPORTED,
  FILE_INFORMATION_BYTES,
  OPEN_UNBUFFERED,
  parseFileInformation,
  ReadControl,
  REFUSED,
  widePath,
  type WindowsCalls,
  windowsError,
  type WindowsHandle,
} from "./windows_calls.ts";
import { windowsCalls } from "./windows_library.ts";

/** The same file opened by the runtime: for its stat, and for reads where there is nothing better. */
export interface PlainFile {
  stat(): FileStat;
  readSync(target: Uint8Array): number;
  read(target: Uint8Array): Promise<number>;
  close(): void;
}

/** Systems of Microsoft's own drivers, which document that they honour the flag. Others may take and ignore it. */
const HONOURING: ReadonlySet<string> = new Set(["NTFS", "REFS", "FAT", "FAT32", "EXFAT", "UDF"]);
/** `WNNC_NET_SMB`; other redirectors (WebDAV) keep files on this machine. */
const SMB = 0x00020000;
/** The open is refused for its flag, or without a reason that could be read: the plain handle does. */
const NO_SUCH_WAY: ReadonlySet<number> = new Set([
  0,
  ERROR_INVALID_FUNCTION,
  ERROR_NOT_SUPPORTED,
  ERROR_INVALID_PARAMETER,
]);

/** An open file that is read past the cache, at aligned positions into aligned buffers. One read at a time. */
export class UnbufferedFile {
  readonly handle: WindowsHandle;
  readonly #calls: WindowsCalls;
  readonly #control = new ReadControl();

  constructor(calls: WindowsCalls, handle: WindowsHandle) {
    this.#calls = calls;
    this.handle = handle;
  }

  /**
   * Undefined where the system has no such way.
   * @throws the system's error of any other refusal, as the runtime would name it
   */
  static open(calls: WindowsCalls, path: string): UnbufferedFile | undefined {
    const wide = widePath(path);
    if (wide === undefined) throw windowsError(ERROR_INVALID_PARAMETER, `opening "${path}"`);
    const handle = calls.createFile(wide, OPEN_UNBUFFERED);
    if (handle !== REFUSED) return new UnbufferedFile(calls, handle);
    const number = calls.lastError();
    if (NO_SUCH_WAY.has(number)) return undefined;
    throw windowsError(number, `opening "${path}"`);
  }

  /** Whether this is the file that `stat` is of, unchanged. */
  is(stat: FileStat): boolean {
    const bytes = new Uint8Array(FILE_INFORMATION_BYTES);
    if (!this.#calls.fileInformation(this.handle, bytes)) return false;
    const info = parseFileInformation(bytes);
    if (this.#calls.fileSize(this.handle) !== stat.size || info.mtimeMs !== stat.mtimeMs) return false;
    if (info.birthtimeMs !== stat.birthtimeMs) return false;
    return !stat.ino || !info.ino || stat.ino === info.ino;
  }

  /** Whether reads really go past the cache: those that do must be aligned, so one that is not is refused. */
  honoursFlag(): boolean {
    if (this.#calls.remoteProtocol(this.handle) === SMB) return true;
    const name = this.#calls.fileSystemName(this.handle)?.toUpperCase();
    if (name === undefined || !HONOURING.has(name)) return false;
    return !this.#calls.readFile(this.handle, alignedBuffer(ALIGNMENT).subarray(1, 2), this.#control.at(0));
  }

  readSync(target: Uint8Array, position: number): number {
    if (this.#calls.readFile(this.handle, target, this.#control.at(position))) return this.#control.got;
    return this.#refused(this.#calls.lastError());
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    if (await this.#calls.readFileLater(this.handle, target, this.#control.at(position))) return this.#control.got;
    // Without a status the read was refused before it began: its buffer or position was wrong.
    return this.#refused(ERROR_INVALID_PARAMETER);
  }

  close = () => this.#calls.closeHandle(this.handle);

  /** The end of the file is an error to the system. */
  #refused(otherwise: number): number {
    const status = this.#control.status;
    const number = status === 0 ? otherwise : this.#calls.errorOfStatus(status);
    if (number === ERROR_HANDLE_EOF) return 0;
    throw windowsError(number, "reading past the cache");
  }
}

/** Whether reads go past the cache, by device; looked at once a process. */
export type HonourMemory = Map<number, boolean>;

class WindowsFreshFile implements FreshFile {
  readonly medium: Medium;
  readonly aligned: boolean;
  readonly #plain: PlainFile;
  readonly #unbuffered: UnbufferedFile | undefined;

  constructor(plain: PlainFile, unbuffered: UnbufferedFile | undefined) {
    this.#plain = plain;
    this.#unbuffered = unbuffered;
    this.medium = unbuffered ? "direct" : "cached";
    this.aligned = unbuffered !== undefined;
  }

  stat = () => this.#plain.stat();

  readSync(target: Uint8Array, position: number | null): number {
    return this.#unbuffered ? this.#unbuffered.readSync(target, position ?? 0) : this.#plain.readSync(target);
  }

  read(target: Uint8Array, position: number | null): Promise<number> {
    return this.#unbuffered ? this.#unbuffered.read(target, position ?? 0) : this.#plain.read(target);
  }

  close(): void {
    try {
      this.#unbuffered?.close();
    } finally {
      this.#plain.close();
    }
  }
}

/** The handle past the cache, if the system has one for this very file and honours it. */
function bypass(path: string, stat: FileStat, at: { calls: WindowsCalls; memory: HonourMemory }) {
  if (stat.dev !== null && at.memory.get(stat.dev) === false) return undefined;
  const file = UnbufferedFile.open(at.calls, path);
  let kept = false;
  try {
    // Another file than the plain handle's, or one being written: that handle's own checks decide, in cached reads.
    if (file === undefined || !file.is(stat)) return undefined;
    if (stat.size === 0) kept = true;
    else {
      kept = (stat.dev === null ? undefined : at.memory.get(stat.dev)) ?? file.honoursFlag();
      if (stat.dev !== null) at.memory.set(stat.dev, kept);
    }
    return kept ? file : undefined;
  } finally {
    if (!kept) file?.close();
  }
}

/** Ties a plain handle and, where it can be had, one past the cache together. Closes `plain` when it throws. */
export function freshFile(
  path: string,
  plain: PlainFile,
  at: { calls: WindowsCalls | undefined; memory: HonourMemory },
): FreshFile {
  try {
    const { calls, memory } = at;
    return new WindowsFreshFile(plain, calls && bypass(path, plain.stat(), { calls, memory }));
  } catch (error) {
    plain.close();
    throw error;
  }
}

const honoured: HonourMemory = new Map();

/** Opens for reading past the cache where Windows allows. */
export function openFreshOnWindows(path: string): FreshFile {
  const file = Deno.openSync(osPath(path));
  const plain: PlainFile = {
    stat: () => fileStat(file.statSync()),
    readSync: (target) => file.readSync(target) ?? 0,
    read: async (target) => await file.read(target) ?? 0,
    close: () => file.close(),
  };
  return freshFile(path, plain, { calls: windowsCalls(), memory: honoured });
}
