/** One file of a made-up Windows, behind the calls the engine makes there. */
import { isAligned } from "../../../core/io/native.ts";
import {
  FILE_INFORMATION_BYTES,
  type OpenRequest,
  REFUSED,
  STREAM_BYTES,
  type WindowsCalls,
} from "../../../core/io/windows_calls.ts";

export const HANDLE = 42n;

/** What the made-up system holds, does and was asked for. */
export interface FakeWindows {
  calls: WindowsCalls;
  content: Uint8Array;
  ino: bigint;
  mtimeMs: number;
  birthtimeMs: number;
  system: string | undefined;
  protocol: number | undefined;
  /** Number of the error every open ends with. */
  openError: number | undefined;
  /** A driver that ignores `FILE_FLAG_NO_BUFFERING` takes any read. */
  ignoresFlag: boolean;
  /** `NTSTATUS` every aligned read ends with. */
  readStatus: number | undefined;
  refuseMove: boolean;
  opened: { path: string; request: OpenRequest }[];
  closed: number;
  moves: [from: string, to: string, flags: number][];
  /** Streams of the file as the system names them. */
  streams: string[];
  /** Number of the error that the end of their list, or the first look at them, is told by. */
  streamsEnd: number;
  /** Paths whose streams were asked for. */
  listed: string[];
  reads: { position: number; length: number; aligned: boolean; later: boolean }[];
}

const EOF_STATUS = 0xc0000011;
const STATUS_ERRORS: Record<number, number> = { [EOF_STATUS]: 38, 0xc000009c: 23, 0xc000020c: 64 };
const text = (wide: Uint16Array) => String.fromCharCode(...wide.subarray(0, -1));
const filetime = (ms: number) => (BigInt(ms) + 11_644_473_600_000n) * 10_000n;

export function fakeWindows(content = new Uint8Array(0)): FakeWindows {
  let lastError = 0, nextStream = 0;
  const read = (target: Uint8Array, control: { overlapped: Uint8Array; count: Uint8Array }, later: boolean) => {
    const overlapped = new DataView(control.overlapped.buffer, control.overlapped.byteOffset);
    const position = Number(overlapped.getBigUint64(16, true));
    const aligned = isAligned(target) && position % 4096 === 0;
    world.reads.push({ position, length: target.length, aligned, later });
    if (!aligned && !world.ignoresFlag) {
      lastError = 87; // refused before it began: no status
      return false;
    }
    const status = world.readStatus ?? (position >= world.content.length ? EOF_STATUS : 0);
    overlapped.setUint32(0, status, true);
    if (status !== 0) {
      lastError = STATUS_ERRORS[status];
      return false;
    }
    const bytes = world.content.subarray(position, position + target.length);
    target.set(bytes);
    new DataView(control.count.buffer, control.count.byteOffset).setUint32(0, bytes.length, true);
    return true;
  };
  const calls: WindowsCalls = {
    createFile(path, request) {
      world.opened.push({ path: text(path), request });
      lastError = world.openError ?? 0;
      return world.openError === undefined ? HANDLE : REFUSED;
    },
    closeHandle: () => void world.closed++,
    fileInformation(_handle, into) {
      const view = new DataView(into.buffer, into.byteOffset, FILE_INFORMATION_BYTES);
      view.setBigUint64(4, filetime(world.birthtimeMs), true);
      view.setBigUint64(20, filetime(world.mtimeMs), true);
      view.setUint32(36, world.content.length, true);
      view.setUint32(44, Number(world.ino >> 32n), true);
      view.setUint32(48, Number(world.ino & 0xffffffffn), true);
      return true;
    },
    fileSize: () => world.content.length,
    fileSystemName: () => world.system,
    remoteProtocol: () => world.protocol,
    readFile: (_handle, target, control) => read(target, control, false),
    readFileLater: (_handle, target, control) => Promise.resolve(read(target, control, true)),
    errorOfStatus: (status) => STATUS_ERRORS[status],
    lastError: () => lastError,
    moveFile(from, to, flags) {
      world.moves.push([text(from), text(to), flags]);
      return !world.refuseMove;
    },
    firstStream(path, into) {
      world.listed.push(text(path));
      nextStream = 0;
      return calls.nextStream(HANDLE, into) ? HANDLE : REFUSED;
    },
    nextStream(_find, into) {
      const name = world.streams[nextStream++];
      lastError = name === undefined ? world.streamsEnd : 0;
      if (name === undefined) return false;
      const view = new DataView(into.buffer, into.byteOffset, STREAM_BYTES);
      for (const [at, unit] of Array.from(`${name}\0`, (c) => c.charCodeAt(0)).entries()) {
        view.setUint16(8 + 2 * at, unit, true);
      }
      return true;
    },
    closeFind: () => void world.closed++,
  };
  const world: FakeWindows = {
    calls,
    content,
    ino: 7n,
    mtimeMs: 1_700_000_000_000,
    birthtimeMs: 1_600_000_000_000,
    system: "NTFS",
    protocol: undefined,
    openError: undefined,
    ignoresFlag: false,
    readStatus: undefined,
    refuseMove: false,
    opened: [],
    closed: 0,
    moves: [],
    streams: ["::$DATA"],
    streamsEnd: 38,
    listed: [],
    reads: [],
  };
  return world;
}
