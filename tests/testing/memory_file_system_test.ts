import assert from "node:assert/strict";
import { CrashError, MemoryFileSystem, systemError } from "../../testing/memory_file_system.ts";

const text = (content: string) => new TextEncoder().encode(content);
const errno = (code: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, code);
  return true;
};

async function write(fs: MemoryFileSystem, path: string, content: string): Promise<void> {
  await using file = await fs.createNew(path);
  await file.write(text(content));
}

Deno.test("MemoryFileSystem answers as a disk does when things are absent, taken or of another kind", async () => {
  const fs = new MemoryFileSystem({ files: { "/d/f": "x", "/d/e/": "", "/l": { link: "/d" } }, mounts: { "/m": {} } });
  assert.equal(await fs.lstat("/none/x"), undefined);
  assert.equal(await fs.lstat("/d/f/x"), undefined);
  assert.equal((await fs.lstat("/l"))?.kind, "symlink");
  assert.equal((await fs.lstat("/l/f"))?.kind, "file");
  assert.equal(await fs.realPath("/l/f"), "/d/f");
  await assert.rejects(fs.openRead("/none"), errno("ENOENT"));
  await assert.rejects(fs.openRead("/l"), errno("ELOOP"));
  await assert.rejects(fs.openRead("/d"), errno("EISDIR"));
  await assert.rejects(fs.createNew("/d/f"), errno("EEXIST"));
  await assert.rejects(fs.link("/d/f", "/m/f"), errno("EXDEV"));
  await assert.rejects(fs.removeFile("/d/e"), errno("EISDIR"));
  await assert.rejects(fs.removeEmptyDir("/d"), errno("ENOTEMPTY"));
  assert.equal(await fs.mkdir("/d"), false);
  assert.notEqual((await fs.lstat("/m"))?.dev, (await fs.lstat("/d"))?.dev);
});

Deno.test("MemoryFileSystem.restart() loses what was not flushed, and only that", async () => {
  const fs = new MemoryFileSystem({ files: { "/d/": "", "/d/old": "old" } });
  await write(fs, "/d/kept", "kept");
  {
    await using file = await fs.openReadWrite("/d/kept");
    await file.sync();
    await file.write(text("KEPT"));
  }
  await fs.syncDir("/d");
  await write(fs, "/d/lost", "lost");
  await fs.removeFile("/d/old");
  fs.crash();
  await assert.rejects(fs.lstat("/d"), CrashError);
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/d"), { "/d/kept": "kept", "/d/old": "old" });
});

Deno.test("MemoryFileSystem.restart() can leave zeros where bytes were not flushed, and keep all", async () => {
  const fs = new MemoryFileSystem({ files: { "/d/": "" } });
  await write(fs, "/d/a", "abc");
  fs.restart(({ kind }) => kind === "content" ? "zeros" : false);
  assert.deepEqual(fs.bytes("/d/a"), new Uint8Array(3));
  await write(fs, "/d/b", "abc");
  fs.restart();
  assert.equal(fs.tree("/d")["/d/b"], "abc");
});

Deno.test("MemoryFileSystem keeps a rename whole: both names change or neither", async () => {
  for (const lost of [true, false]) {
    const fs = new MemoryFileSystem({ files: { "/d/a": "1", "/e/": "" } });
    await fs.rename("/d/a", "/e/b");
    fs.restart(() => lost);
    assert.deepEqual(fs.tree(), lost ? { "/d/a": "1", "/e/": "" } : { "/d/": "", "/e/b": "1" });
  }
});

Deno.test("MemoryFileSystem drops locks and kills handles at a restart", async () => {
  const fs = new MemoryFileSystem();
  const first = await fs.openReadWrite("/lock");
  const second = await fs.openReadWrite("/lock");
  assert.equal(await first.tryLock(), true);
  assert.equal(await second.tryLock(), false);
  fs.crash();
  fs.restart();
  await assert.rejects(first.write(text("x")), errno("EBADF"));
  assert.equal(await (await fs.openReadWrite("/lock")).tryLock(), true);
});

Deno.test("MemoryFileSystem shows an empty folder where a mount was, and the device again after", async () => {
  const fs = new MemoryFileSystem({ mounts: { "/nas": {} }, files: { "/nas/a": "1" } });
  const { dev } = await fs.lstat("/nas") ?? {};
  fs.unmount("/nas");
  assert.deepEqual(await fs.readDir("/nas"), []);
  assert.notEqual((await fs.lstat("/nas"))?.dev, dev);
  fs.remount("/nas");
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "1" });
});

Deno.test("MemoryFileSystem fills up, turns read-only and folds case as its mounts say", async () => {
  const fs = new MemoryFileSystem({ mounts: { "/full": { capacity: 4 }, "/win": { ignoreCase: true } } });
  await assert.rejects(write(fs, "/full/a", "12345"), errno("ENOSPC"));
  await fs.removeFile("/full/a");
  await write(fs, "/full/a", "1234");
  assert.deepEqual(await fs.space("/full"), { free: 0, total: 4 });
  fs.disk.setMount("/full", { readOnly: true });
  await assert.rejects(fs.removeFile("/full/a"), errno("EROFS"));
  await write(fs, "/win/Name", "1");
  assert.equal((await fs.lstat("/win/NAME"))?.size, 1);
  await assert.rejects(fs.createNew("/win/name"), errno("EEXIST"));
});

Deno.test("MemoryFileSystem calls the hook before every primitive, which throws, flips and shortens", async () => {
  const fs = new MemoryFileSystem({ files: { "/a": "abc" } });
  const seen: string[] = [];
  fs.fault = ({ operation, path, count }) => {
    seen.push(`${count} ${operation} ${path}`);
    if (operation === "lstat") throw systemError("EIO", path);
    if (operation === "read") return seen.length < 3 ? { short: 1 } : { flipBit: 0 };
  };
  await assert.rejects(fs.lstat("/a"), errno("EIO"));
  seen.length = 0;
  const file = await fs.openRead("/a");
  const buffer = new Uint8Array(8);
  assert.equal(await file.read(buffer), 1);
  assert.equal(await file.read(buffer), 2);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 2)), "cc");
  assert.deepEqual(seen, ["2 openRead /a", "3 read /a", "4 read /a"]);
});

Deno.test("MemoryFileSystem keeps time: mtime in ms, ctime in whole seconds, as its clock says", async () => {
  let now = 1_000_000_001_234;
  const fs = new MemoryFileSystem({ now: () => now });
  fs.seed({ "/old": "x" }, { at: 5_678 });
  assert.deepEqual(await fs.lstat("/old").then((stat) => [stat?.mtimeMs, stat?.ctimeMs, stat?.birthtimeMs]), [
    5_678,
    5_000,
    5_678,
  ]);
  await write(fs, "/new", "x");
  now += 5_000;
  await fs.setMtime("/new", 42);
  const stat = await fs.lstat("/new");
  assert.deepEqual([stat?.mtimeMs, stat?.ctimeMs, stat?.birthtimeMs], [42, 1_000_000_006_000, 1_000_000_001_234]);
});
