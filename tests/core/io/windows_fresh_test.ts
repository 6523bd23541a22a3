import assert from "node:assert/strict";
import { DirectCursor } from "../../../core/io/direct_cursor.ts";
import type { FreshFile } from "../../../core/io/disk_fresh.ts";
import type { FileStat } from "../../../core/io/file_system.ts";
import { freshFile, type HonourMemory, type PlainFile } from "../../../core/io/windows_fresh.ts";
import { type FakeWindows, fakeWindows } from "./_fake_windows.ts";

const PATH = "C:\\data\\run 1\\a.tif";
const CONTENT = Uint8Array.from({ length: 3 * 65_536 + 777 }, (_, i) => i % 251);
const SMB = 0x00020000;

/** The runtime's handle on the same file: its reads give other bytes, so that it shows which handle was read. */
function plainOf(world: FakeWindows, more: Partial<FileStat> = {}) {
  const stat: FileStat = {
    kind: "file",
    dev: 5,
    ino: Number(world.ino),
    size: world.content.length,
    mtimeMs: world.mtimeMs,
    ctimeMs: world.mtimeMs,
    birthtimeMs: world.birthtimeMs,
    ...more,
  };
  const plain = {
    closed: 0,
    stat: () => stat,
    readSync: (target: Uint8Array) => (target[0] = 255, 1),
    read: (target: Uint8Array) => Promise.resolve((target[0] = 255, 1)),
    close: () => void plain.closed++,
  };
  return plain satisfies PlainFile;
}

function open(world: FakeWindows, memory: HonourMemory = new Map(), more: Partial<FileStat> = {}) {
  const plain = plainOf(world, more);
  return { file: freshFile(PATH, plain, { calls: world.calls, memory }), plain };
}

async function readAll(file: FreshFile, size: number, how: { later: boolean; step: number }): Promise<Uint8Array> {
  const cursor = new DirectCursor(size);
  const parts: number[] = [];
  const buffer = new Uint8Array(how.step);
  for (;;) {
    const next = cursor.next(buffer);
    if (next === undefined) break;
    const got = how.later ? await file.read(next.target, next.position) : file.readSync(next.target, next.position);
    const bytes = cursor.took(next, buffer, got);
    if (bytes === 0) break;
    parts.push(...buffer.subarray(0, bytes));
  }
  return Uint8Array.from(parts);
}

Deno.test("freshFile() reads past the cache, in the calling thread and outside it, whatever the sizes", async () => {
  for (const size of [1, 4095, 4096, 65_536, CONTENT.length]) {
    for (const later of [false, true]) {
      const world = fakeWindows(CONTENT.slice(0, size));
      const { file, plain } = open(world);
      assert.deepEqual([file.medium, file.aligned], ["direct", true]);
      const probes = world.reads.length;
      assert.deepEqual(await readAll(file, size, { later, step: 50_001 }), world.content, `${size} bytes`);
      const reads = world.reads.slice(probes);
      assert.ok(reads.length > 0 && reads.every((read) => read.aligned && read.later === later));
      file.close();
      assert.deepEqual([world.closed, plain.closed], [1, 1]);
    }
  }
});

Deno.test("freshFile() opens the verbatim path with the flags for it", () => {
  const world = fakeWindows(CONTENT);
  open(world).file.close();
  assert.equal(world.opened[0].path, "\\\\?\\C:\\data\\run 1\\a.tif");
  assert.equal(world.opened[0].request.flags & 0x20000000, 0x20000000);
});

Deno.test("freshFile() calls reads cached where the flag is refused, ignored, or by an unknown system", () => {
  const cases: [string, Partial<FakeWindows>][] = [
    ["refused as a parameter", { openError: 87 }],
    ["not supported", { openError: 50 }],
    ["refused without a reason", { openError: 0 }],
    ["taken and ignored", { ignoresFlag: true }],
    ["another driver", { system: "FUSE-SSHFS" }],
    ["nameless", { system: undefined }],
    ["another redirector", { system: undefined, protocol: 0x002e0000 }],
  ];
  for (const [what, change] of cases) {
    const world = Object.assign(fakeWindows(CONTENT), change);
    const { file, plain } = open(world);
    assert.deepEqual([file.medium, file.aligned], ["cached", false], what);
    assert.deepEqual(
      [file.readSync(new Uint8Array(4), null), world.reads.filter((read) => read.aligned)],
      [1, []],
      what,
    );
    assert.equal(world.closed, change.openError === undefined ? 1 : 0, what);
    file.close();
    assert.equal(plain.closed, 1, what);
  }
});

Deno.test("freshFile() believes SMB, whose reads need no alignment", () => {
  const { file } = open(Object.assign(fakeWindows(CONTENT), { protocol: SMB, ignoresFlag: true, system: undefined }));
  assert.equal(file.medium, "direct");
});

Deno.test("freshFile() never reads another file than the one that was opened", () => {
  for (const more of [{ ino: 8 }, { size: 1 }, { mtimeMs: 1 }, { birthtimeMs: 1 }]) {
    const world = fakeWindows(CONTENT);
    const { file } = open(world, new Map(), more);
    assert.deepEqual([file.medium, world.closed, world.reads], ["cached", 1, []], JSON.stringify(more));
  }
  assert.equal(open(fakeWindows(CONTENT), new Map(), { ino: null, dev: null }).file.medium, "direct");
});

Deno.test("freshFile() knows a file by an id the runtime rounds", () => {
  const world = Object.assign(fakeWindows(CONTENT), { ino: (777n << 48n) + 4097n });
  assert.equal(open(world).file.medium, "direct");
});

Deno.test("freshFile() probes a device once, and not by an empty file", () => {
  const memory: HonourMemory = new Map();
  assert.equal(open(fakeWindows(), memory).file.medium, "direct");
  assert.equal(memory.size, 0);
  const first = fakeWindows(CONTENT);
  open(first, memory);
  assert.equal(first.reads.length, 1);
  const second = fakeWindows(CONTENT);
  assert.equal(open(second, memory).file.medium, "direct");
  assert.equal(second.reads.length, 0);
  memory.set(5, false);
  const third = fakeWindows(CONTENT);
  assert.equal(open(third, memory).file.medium, "cached");
  assert.equal(third.opened.length, 0);
});

Deno.test("freshFile() passes other refusals on and leaves nothing open", () => {
  const world = Object.assign(fakeWindows(CONTENT), { openError: 32 });
  const plain = plainOf(world);
  assert.throws(() => freshFile(PATH, plain, { calls: world.calls, memory: new Map() }), {
    code: "EBUSY",
    message: /os error 32/,
  });
  assert.equal(plain.closed, 1);
});

Deno.test("a failing read names the system's error, in the calling thread and outside it", async () => {
  for (const [status, code] of [[0xc000009c, "EIO"], [0xc000020c, "ECONNRESET"]] as const) {
    const world = fakeWindows(CONTENT);
    const { file } = open(world);
    world.readStatus = status;
    const cursor = new DirectCursor(CONTENT.length).next(new Uint8Array(10));
    assert.ok(cursor);
    assert.throws(() => file.readSync(cursor.target, 0), { code });
    await assert.rejects(file.read(cursor.target, 0), { code });
    await assert.rejects(file.read(cursor.target.subarray(1), 0), { code: "EINVAL" });
  }
});

Deno.test("freshFile() does without the calls where they cannot be loaded", () => {
  const plain = plainOf(fakeWindows(CONTENT));
  assert.equal(freshFile(PATH, plain, { calls: undefined, memory: new Map() }).medium, "cached");
});
