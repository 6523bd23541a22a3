import assert from "node:assert/strict";
import { ioError } from "../../../core/io/io_errors.ts";
import { moveNoReplace } from "../../../core/io/native.ts";
import {
  FILE_INFORMATION_BYTES,
  OPEN_UNBUFFERED,
  parseFileInformation,
  ReadControl,
  widePath,
  windowsError,
  windowsErrorName,
} from "../../../core/io/windows_calls.ts";
import { fakeWindows } from "./_fake_windows.ts";

const text = (wide: Uint16Array | undefined) => String.fromCharCode(...(wide ?? []));

Deno.test("OPEN_UNBUFFERED reads past the cache and keeps nobody from the file", () => {
  assert.deepEqual(OPEN_UNBUFFERED, { access: 0x80000000, share: 7, disposition: 3, flags: 0x28000000 });
  for (const value of Object.values(OPEN_UNBUFFERED)) assert.ok(value >= 0 && value < 2 ** 32);
});

Deno.test("widePath() gives the verbatim form in UTF-16, ended by NUL", () => {
  assert.equal(text(widePath("C:\\a\\µ")), "\\\\?\\C:\\a\\µ\0");
  assert.equal(text(widePath("\\\\nas\\share\\結果\\😀")), "\\\\?\\UNC\\nas\\share\\結果\\😀\0");
  assert.equal(text(widePath("C:\\\ud800")), "\\\\?\\C:\\\ud800\0");
  assert.equal(widePath("C:\\a\0b"), undefined);
});

Deno.test("ReadControl holds positions past 4 GiB, the count, and only failed statuses", () => {
  const control = new ReadControl().at(5 * 2 ** 32 + 4096);
  const overlapped = new DataView(control.overlapped.buffer, control.overlapped.byteOffset);
  assert.deepEqual([overlapped.getUint32(16, true), overlapped.getUint32(20, true)], [4096, 5]);
  new DataView(control.count.buffer, control.count.byteOffset).setUint32(0, 77, true);
  assert.equal(control.got, 77);
  for (const [status, seen] of [[0x103, 0], [0xc0000011, 0xc0000011], [0x80000005, 0x80000005]]) {
    overlapped.setUint32(0, status, true);
    assert.equal(control.status, seen);
  }
  assert.deepEqual([control.at(0).got, control.status], [0, 0]);
});

Deno.test("parseFileInformation() reads times, size and id as the runtime gives them", () => {
  const bytes = new Uint8Array(FILE_INFORMATION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(4, (1_700_000_000_123n + 11_644_473_600_000n) * 10_000n + 9_999n, true);
  view.setBigUint64(20, (1_600_000_000_001n + 11_644_473_600_000n) * 10_000n, true);
  view.setUint32(32, 2, true);
  view.setUint32(36, 1, true);
  view.setUint32(44, 777 << 16, true);
  view.setUint32(48, 4097, true);
  assert.deepEqual(parseFileInformation(bytes), {
    birthtimeMs: 1_700_000_000_123,
    mtimeMs: 1_600_000_000_001,
    size: 2 ** 33 + 1,
    ino: Number((777n << 48n) + 4097n),
  });
});

Deno.test("windowsError() names errors as the runtime does and leads to the right words", () => {
  for (
    const [number, name] of [[2, "ENOENT"], [5, "EPERM"], [32, "EBUSY"], [87, "EINVAL"], [9999, "EUNKNOWN"]] as const
  ) {
    assert.equal(windowsErrorName(number), name);
  }
  const code = (number: number) => {
    const error = ioError(windowsError(number, "reading"), { verb: "read", path: "C:\\a" }, { windows: true });
    return (error as Error & { code: string }).code;
  };
  const numbers = [2, 5, 32, 33, 64, 59, 1117, 9999];
  assert.deepEqual(numbers.map(code), [
    "io/gone",
    "io/denied",
    "io/busy",
    "io/busy",
    "io/lost",
    "io/lost",
    "io/failing",
    "io/failed",
  ]);
});

Deno.test("S7 moveNoReplace() never asks to replace, and says when it did not happen", () => {
  const world = fakeWindows();
  assert.equal(moveNoReplace("C:\\t", "C:\\a", world.calls), true);
  assert.deepEqual(world.moves, [["\\\\?\\C:\\t", "\\\\?\\C:\\a", 8]]);
  world.refuseMove = true;
  assert.equal(moveNoReplace("C:\\t", "C:\\a", world.calls), false);
  assert.equal(moveNoReplace("C:\\t\0", "C:\\a", world.calls), false);
});
