/**
 * The calls of Windows that the runtime does not offer, as an interface, and everything about them that is arithmetic:
 * flags, UTF-16, structures, error numbers. Pure, so that it is tested on every system; `windows_library.ts` loads the
 * calls themselves. Numbers are those of the Windows SDK (`fileapi.h`, `winnt.h`, `winerror.h`).
 * @module
 */
import { longPath } from "./windows.ts";

/** An open file of the system; -1 when the open was refused. */
export type WindowsHandle = bigint;

export const REFUSED: WindowsHandle = -1n;

/** What `CreateFileW` is asked for. */
export interface OpenRequest {
  access: number;
  share: number;
  disposition: number;
  flags: number;
}

const GENERIC_READ = 0x80000000;
/** Read, write and delete: a look at a file must never stop the instrument's own program from using it. */
const SHARE_ALL = 1 | 2 | 4;
const OPEN_EXISTING = 3;
const FILE_FLAG_NO_BUFFERING = 0x20000000;
const FILE_FLAG_SEQUENTIAL_SCAN = 0x08000000;

/**
 * Reads past the cache, front to back. Reparse points are followed, since deduplicated and placeholder files are such;
 * whether it is the file that was meant is told by its identity.
 */
export const OPEN_UNBUFFERED: Readonly<OpenRequest> = {
  access: GENERIC_READ,
  share: SHARE_ALL,
  disposition: OPEN_EXISTING,
  flags: FILE_FLAG_NO_BUFFERING | FILE_FLAG_SEQUENTIAL_SCAN,
};

/** Returns from a rename only when it is on the disk; without the flag to replace, a name that is taken is refused. */
export const MOVEFILE_WRITE_THROUGH = 8;

export const ERROR_INVALID_FUNCTION = 1;
export const ERROR_HANDLE_EOF = 38;
export const ERROR_NOT_SUPPORTED = 50;
export const ERROR_INVALID_PARAMETER = 87;

/** The memory of one positioned read: `OVERLAPPED` (32 bytes), then the number of bytes read. */
export class ReadControl {
  // A buffer of its own: the engine keeps small arrays where it moves them, also while a call is under way.
  readonly #memory = new ArrayBuffer(40);
  readonly #view = new DataView(this.#memory);
  readonly overlapped = new Uint8Array(this.#memory, 0, 32);
  readonly count = new Uint8Array(this.#memory, 32, 8);

  /** Prepares the next read, at `position` bytes. */
  at(position: number): this {
    this.overlapped.fill(0);
    this.count.fill(0);
    this.#view.setBigUint64(16, BigInt(position), true);
    return this;
  }

  get got(): number {
    return this.#view.getUint32(32, true);
  }

  /** The system's status of the read; 0 until it says one. */
  get status(): number {
    const status = this.#view.getUint32(0, true);
    return status >= 0x80000000 ? status : 0;
  }
}

/** `BY_HANDLE_FILE_INFORMATION` in the engine's terms. */
export interface WindowsFileInfo {
  /** 64 bits; rounded as the runtime does. */
  ino: number;
  size: number;
  /** Times in whole ms since 1970. */
  mtimeMs: number;
  birthtimeMs: number;
}

export const FILE_INFORMATION_BYTES = 52;
const MS_FROM_1601_TO_1970 = 11_644_473_600_000n;

/** Reads `BY_HANDLE_FILE_INFORMATION`. */
export function parseFileInformation(bytes: Uint8Array): WindowsFileInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FILE_INFORMATION_BYTES);
  const time = (at: number) => Number(view.getBigUint64(at, true) / 10_000n - MS_FROM_1601_TO_1970);
  // The high half comes first in pairs of 32 bits.
  const pair = (at: number) => Number((BigInt(view.getUint32(at, true)) << 32n) | BigInt(view.getUint32(at + 4, true)));
  return { birthtimeMs: time(4), mtimeMs: time(20), size: pair(32), ino: pair(44) };
}

/** `WIN32_FIND_STREAM_DATA`: a size of 8 bytes, then a name of up to 296 characters. */
export const STREAM_BYTES = 8 + 2 * 296;

/** The name of a stream, as `:name:$DATA`; that of a file's own bytes is `::$DATA`. */
export function parseStreamName(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, STREAM_BYTES);
  let name = "";
  for (let at = 8; at < STREAM_BYTES; at += 2) {
    const unit = view.getUint16(at, true);
    if (unit === 0) break;
    name += String.fromCharCode(unit);
  }
  return name;
}

/**
 * A path as the wide calls take it: verbatim form, UTF-16, ended by NUL; undefined for one that holds a NUL. Lone
 * surrogates stay, since names of Windows may hold them.
 */
export function widePath(path: string): Uint16Array<ArrayBuffer> | undefined {
  if (path.includes("\0")) return undefined;
  const long = longPath(path);
  return Uint16Array.from({ length: long.length + 1 }, (_, i) => i < long.length ? long.charCodeAt(i) : 0);
}

/** Names as the runtime gives them for the same numbers. */
const NAMES: Readonly<Record<number, string>> = {
  1: "EISDIR",
  2: "ENOENT",
  3: "ENOENT",
  4: "EMFILE",
  5: "EPERM",
  6: "EBADF",
  8: "ENOMEM",
  21: "ENODEV",
  23: "EIO",
  31: "EIO",
  32: "EBUSY",
  33: "EBUSY",
  50: "ENOTSUP",
  53: "EHOSTUNREACH",
  55: "ENODEV",
  59: "ECONNRESET",
  64: "ECONNRESET",
  67: "ENOENT",
  80: "EEXIST",
  87: "EINVAL",
  121: "ETIMEDOUT",
  123: "ENOENT",
  161: "ENOENT",
  183: "EEXIST",
  206: "ENAMETOOLONG",
  1117: "EIO",
  1167: "ENODEV",
  1231: "ENETUNREACH",
  1920: "EACCES",
  1921: "ELOOP",
};

/** The system's name of a Windows error number; `EUNKNOWN` for others, whose number is in the message. */
export function windowsErrorName(number: number): string {
  return NAMES[number] ?? "EUNKNOWN";
}

/** A failed call as the runtime would throw it; the number in the message is what the words are chosen by. */
export function windowsError(number: number, doing: string): Error {
  const code = windowsErrorName(number);
  return Object.assign(new Error(`${doing} failed (os error ${number})`), { code });
}

/** The calls. Those that fail say so; the number is then in `lastError`, or in the status of the read. */
export interface WindowsCalls {
  createFile(path: Uint16Array<ArrayBuffer>, request: Readonly<OpenRequest>): WindowsHandle;
  closeHandle(handle: WindowsHandle): void;
  /** Fills `FILE_INFORMATION_BYTES`. */
  fileInformation(handle: WindowsHandle, into: Uint8Array<ArrayBuffer>): boolean;
  /** Bytes; undefined when it cannot be told. */
  fileSize(handle: WindowsHandle): number | undefined;
  /** Name of the file system (`NTFS`); undefined when it cannot be told. */
  fileSystemName(handle: WindowsHandle): string | undefined;
  /** `WNNC_NET_…` of a file of a share; undefined for a local one. */
  remoteProtocol(handle: WindowsHandle): number | undefined;
  readFile(handle: WindowsHandle, target: Uint8Array, control: ReadControl): boolean;
  /** As `readFile`, on another thread: `lastError` says nothing of it. */
  readFileLater(handle: WindowsHandle, target: Uint8Array, control: ReadControl): Promise<boolean>;
  /** Error number of an `NTSTATUS`. */
  errorOfStatus(status: number): number;
  lastError(): number;
  moveFile(from: Uint16Array<ArrayBuffer>, to: Uint16Array<ArrayBuffer>, flags: number): boolean;
  /** Fills `STREAM_BYTES` with the first stream; the handle is closed by `closeFind`. */
  firstStream(path: Uint16Array<ArrayBuffer>, into: Uint8Array<ArrayBuffer>): WindowsHandle;
  nextStream(find: WindowsHandle, into: Uint8Array<ArrayBuffer>): boolean;
  closeFind(find: WindowsHandle): void;
}
