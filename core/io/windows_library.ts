/**
 * `WindowsCalls` of the system itself, loaded when first wanted.
 * @module
 */
import type { WindowsCalls } from "./windows_calls.ts";

const KERNEL = {
  CreateFileW: { parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "isize"], result: "isize" },
  CloseHandle: { parameters: ["isize"], result: "i32" },
  GetLastError: { parameters: [], result: "u32" },
  GetFileSizeEx: { parameters: ["isize", "buffer"], result: "i32" },
  GetFileInformationByHandle: { parameters: ["isize", "buffer"], result: "i32" },
  GetFileInformationByHandleEx: { parameters: ["isize", "i32", "buffer", "u32"], result: "i32" },
  GetVolumeInformationByHandleW: {
    parameters: ["isize", "pointer", "u32", "pointer", "pointer", "pointer", "buffer", "u32"],
    result: "i32",
  },
  ReadFile: { parameters: ["isize", "buffer", "u32", "buffer", "buffer"], result: "i32" },
  ReadFileLater: {
    name: "ReadFile",
    parameters: ["isize", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  FindFirstStreamW: { parameters: ["buffer", "u32", "buffer", "u32"], result: "isize" },
  FindNextStreamW: { parameters: ["isize", "buffer"], result: "i32" },
  FindClose: { parameters: ["isize"], result: "i32" },
  MoveFileExW: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
} as const;

const NTDLL = { RtlNtStatusToDosError: { parameters: ["u32"], result: "u32" } } as const;

const FIND_STREAM_INFO_STANDARD = 0;
const FILE_REMOTE_PROTOCOL_INFO = 13;
/** `FILE_REMOTE_PROTOCOL_INFO`: structure version, its size, then the protocol. */
const REMOTE_PROTOCOL_BYTES = 180;
const REMOTE_PROTOCOL_AT = 4;
/** `MAX_PATH` and the NUL, in characters. */
const NAME_CHARACTERS = 261;

function open(): WindowsCalls {
  const { symbols: kernel } = Deno.dlopen("kernel32.dll", KERNEL);
  const { symbols: ntdll } = Deno.dlopen("ntdll.dll", NTDLL);
  return {
    createFile: (path, { access, share, disposition, flags }) =>
      BigInt(kernel.CreateFileW(path, access, share, null, disposition, flags, 0n)),
    closeHandle: (handle) => void kernel.CloseHandle(handle),
    fileInformation: (handle, into) => kernel.GetFileInformationByHandle(handle, into) !== 0,
    fileSize(handle) {
      const size = new Uint8Array(8);
      if (kernel.GetFileSizeEx(handle, size) === 0) return undefined;
      return Number(new DataView(size.buffer).getBigInt64(0, true));
    },
    fileSystemName(handle) {
      const name = new Uint16Array(NAME_CHARACTERS);
      if (kernel.GetVolumeInformationByHandleW(handle, null, 0, null, null, null, name, NAME_CHARACTERS) === 0) {
        return undefined;
      }
      return String.fromCharCode(...name.subarray(0, name.indexOf(0)));
    },
    remoteProtocol(handle) {
      const info = new Uint8Array(REMOTE_PROTOCOL_BYTES);
      const size = info.length;
      if (kernel.GetFileInformationByHandleEx(handle, FILE_REMOTE_PROTOCOL_INFO, info, size) === 0) return undefined;
      return new DataView(info.buffer).getUint32(REMOTE_PROTOCOL_AT, true);
    },
    readFile: (handle, target, { count, overlapped }) =>
      kernel.ReadFile(handle, target as BufferSource, target.length, count, overlapped) !== 0,
    readFileLater: async (handle, target, { count, overlapped }) =>
      await kernel.ReadFileLater(handle, target as BufferSource, target.length, count, overlapped) !== 0,
    errorOfStatus: (status) => ntdll.RtlNtStatusToDosError(status),
    lastError: () => kernel.GetLastError(),
    moveFile: (from, to, flags) => kernel.MoveFileExW(from, to, flags) !== 0,
    firstStream: (path, into) => BigInt(kernel.FindFirstStreamW(path, FIND_STREAM_INFO_STANDARD, into, 0)),
    nextStream: (find, into) => kernel.FindNextStreamW(find, into) !== 0,
    closeFind: (find) => void kernel.FindClose(find),
  };
}

let calls: WindowsCalls | null | undefined;

/** The calls of this system; undefined where it is not Windows, or they may not be loaded. */
export function windowsCalls(): WindowsCalls | undefined {
  if (calls !== undefined) return calls ?? undefined;
  try {
    calls = Deno.build.os === "windows" ? open() : null;
  } catch {
    // No permission, or a system that lacks one of them: the portable paths are used, and evidence says what they show.
    calls = null;
  }
  return calls ?? undefined;
}
