import assert from "node:assert/strict";
import type { FileStat } from "../../../core/io/file_system.ts";
import { exactInode, isSameFile, sameFile } from "../../../core/io/same.ts";

const STAT: FileStat = { kind: "file", dev: 1, ino: 2, size: 3, mtimeMs: 4, ctimeMs: 5, birthtimeMs: 6 };

Deno.test("S10 isSameFile() goes by device and inode where the system gives them", () => {
  assert.ok(isSameFile(STAT, { ...STAT, size: 9, mtimeMs: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, ino: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, dev: 9 }));
  assert.ok(!isSameFile(STAT, { ...STAT, kind: "directory" }));
});

Deno.test("S10 isSameFile() goes by size and times where the system gives no inode", () => {
  for (const held of [{ ...STAT, ino: null, dev: null }, { ...STAT, ino: 0, dev: 0 }]) {
    assert.ok(isSameFile(held, STAT));
    assert.ok(!isSameFile(held, { ...STAT, size: 9 }));
    assert.ok(!isSameFile(held, { ...STAT, mtimeMs: 9 }));
  }
});

Deno.test("S10 isSameFile() goes by the inode when only the device is missing", () => {
  assert.ok(isSameFile({ ...STAT, dev: null }, { ...STAT, size: 9 }));
  assert.ok(!isSameFile({ ...STAT, dev: null }, { ...STAT, ino: 9 }));
});

Deno.test("S6 sameFile() sees a change in every part that both stats have", () => {
  const changes: Partial<FileStat>[] = [
    { kind: "other" },
    { dev: 9 },
    { ino: 9 },
    { size: 9 },
    { mtimeMs: 9 },
    { ctimeMs: 9 },
  ];
  assert.ok(sameFile(STAT, { ...STAT }));
  for (const change of changes) assert.ok(!sameFile(STAT, { ...STAT, ...change }), JSON.stringify(change));
});

Deno.test("S6 sameFile() takes an open file without inode and change time for its path's", () => {
  const held: FileStat = { ...STAT, dev: null, ino: null, ctimeMs: null };
  assert.ok(sameFile(held, STAT));
  for (const change of [{ size: 9 }, { mtimeMs: 9 }, { birthtimeMs: 9 }]) {
    assert.ok(!sameFile(held, { ...STAT, ...change }), JSON.stringify(change));
  }
});

Deno.test("S14 exactInode() gives no inode that the runtime may have rounded", () => {
  assert.equal(exactInode({ ino: 2 ** 53 - 1 }), 2 ** 53 - 1);
  for (const ino of [2 ** 53, 777 * 2 ** 48 + 4096, 0, null]) assert.equal(exactInode({ ino }), null);
  assert.equal(exactInode(undefined), null);
});
