import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { Disk } from "../../../core/io/disk.ts";
import { openFresh } from "../../../core/io/disk_fresh.ts";
import { honoursDirect, mediumWithoutDirect, systemOf, whyCached } from "../../../core/io/linux_systems.ts";
import { dropCache } from "../../../core/io/native.ts";
import { tempDir } from "../../kit/temp.ts";

const LINUX = Deno.build.os === "linux";

const NUMBERS = {
  tmpfs: 0x01021994,
  ext4: 0xef53,
  xfs: 0x58465342,
  btrfs: 0x9123683e,
  f2fs: 0xf2f52010,
  exfat: 0x2011bab0,
  overlay: 0x794c7630,
  nfs: 0x6969,
  cifs: 0xff534d42,
  smb3: 0xfe534d42,
  fuse: 0x65735546,
  "9p": 0x01021997,
  zfs: 0x2fc12fc1,
};

/** What counts where: with each answer to the trials, and without direct reads when the pages are, or are not, gone. */
const TABLE: [name: keyof typeof NUMBERS, refuses: boolean, takes: boolean, gone: string, kept: string][] = [
  ["tmpfs", false, false, "direct", "direct"],
  ["ext4", true, false, "dropped-cache", "cached"],
  ["xfs", true, false, "dropped-cache", "cached"],
  ["btrfs", true, false, "dropped-cache", "cached"],
  ["f2fs", true, false, "dropped-cache", "cached"],
  ["exfat", true, false, "dropped-cache", "cached"],
  ["overlay", true, false, "cached", "cached"],
  ["nfs", false, true, "cached", "cached"],
  ["cifs", false, true, "cached", "cached"],
  ["smb3", false, true, "cached", "cached"],
  ["fuse", false, false, "cached", "cached"],
  ["9p", false, false, "cached", "cached"],
  ["zfs", false, false, "cached", "cached"],
];

Deno.test("S7 a reading counts as past the cache only where the file system is known to make it so", () => {
  const trial = (refuses: boolean, takes: boolean) => ({ refusesUnaligned: () => refuses, takesAligned: () => takes });
  for (const [name, refuses, takes, gone, kept] of TABLE) {
    const system = systemOf(NUMBERS[name]);
    assert.equal(system.name, name);
    assert.equal(honoursDirect(system, trial(true, false)), refuses, `${name}: an unaligned read is refused`);
    assert.equal(honoursDirect(system, trial(false, true)), takes, `${name}: every read is taken`);
    assert.equal(honoursDirect(system, trial(false, false)), false, `${name}: no trial speaks for it`);
    assert.equal(mediumWithoutDirect(system, () => true), gone, name);
    assert.equal(mediumWithoutDirect(system, () => false), kept, name);
  }
});

Deno.test("systemOf() trusts nothing it does not know, whatever sign the number has", () => {
  assert.deepEqual(systemOf(0x1234), { name: "of type 0x1234", kind: "unknown" });
  assert.equal(systemOf(0xfe534d42 | 0).name, "smb3");
  assert.equal(honoursDirect(systemOf(1), { refusesUnaligned: () => true, takesAligned: () => true }), false);
  assert.equal(mediumWithoutDirect(systemOf(1), () => assert.fail("dropping pages says nothing there")), "cached");
});

Deno.test("S7 one flush for all files is trusted to systems of this machine only", () => {
  const whole = Object.entries(NUMBERS).filter(([, number]) => systemOf(number).flushesWhole).map(([name]) => name);
  assert.deepEqual(whole, ["tmpfs", "ext4", "xfs", "btrfs", "f2fs"]);
});

Deno.test({
  name: "S7 Disk.openBarrier() gives none where a flush of the whole is not known to reach the medium",
  ignore: !LINUX,
  fn: async () => {
    await using disk = new Disk();
    await using none = await disk.openBarrier("/proc");
    assert.equal(none, undefined);
    await using dir = await tempDir();
    const { flushesWhole } = systemOf(fs.statfsSync(dir.path).type);
    await using barrier = await disk.openBarrier(dir.path);
    assert.equal(barrier !== undefined, flushesWhole === true);
    await barrier?.flush();
  },
});

Deno.test("whyCached() names the file system and what to do", () => {
  assert.match(whyCached(systemOf(NUMBERS.fuse)), /\(fuse\) may keep bytes of its own.*NFS or SMB/);
  assert.match(whyCached(systemOf(NUMBERS.cifs)), /\(cifs\) gave the bytes from a cache.*cache=strict/);
  assert.match(whyCached(systemOf(NUMBERS.ext4)), /\(ext4\).*owner of the files/);
});

Deno.test({
  name: "S7 a file of a system that is not known is read through the cache, and said to be",
  ignore: !LINUX,
  fn: async () => {
    await using disk = new Disk();
    const path = "/proc/sys/kernel/ostype";
    const file = openFresh(path, (await disk.lstat(path))!);
    try {
      assert.deepEqual([file.medium, file.aligned], ["cached", false]);
    } finally {
      file.close();
    }
    assert.match(await disk.whyCached("/proc"), /of type 0x9fa0/);
  },
});

const MAPPING = {
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
} as const;

Deno.test({
  name: "S7 dropCache() is not content that the system took the advice: pages that stay mapped are still there",
  ignore: !LINUX,
  fn: async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "f");
    const size = 3 * 4096;
    await Deno.writeFile(path, new Uint8Array(size).fill(7));
    // In memory there is nothing to be dropped to.
    if (systemOf(fs.statfsSync(path).type).kind !== "disk") return;
    const fd = fs.openSync(path, "r");
    const libc = Deno.dlopen("libc.so.6", MAPPING);
    try {
      fs.fdatasyncSync(fd);
      assert.equal(dropCache(fd, size), true);
      const mapped = libc.symbols.mmap(0n, BigInt(size), 1, 1, fd, 0n)!;
      const view = new Deno.UnsafePointerView(mapped);
      assert.equal(view.getUint8(4096), 7); // touched, so that the page is mapped
      assert.equal(dropCache(fd, size), false);
      libc.symbols.munmap(mapped, BigInt(size));
      assert.equal(dropCache(fd, size), true);
      assert.equal(dropCache(fd, 0), true);
    } finally {
      libc.close();
      fs.closeSync(fd);
    }
  },
});
