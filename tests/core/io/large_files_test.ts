import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { PipelineError } from "../../../core/errors.ts";
import { Disk } from "../../../core/io/disk.ts";
import type { FileSystem } from "../../../core/io/file_system.ts";
import { copyLarge, hashFile, type LargeCopy } from "../../../core/io/transfer.ts";
import { type FaultHook, MemoryFileSystem, systemError } from "../../../testing/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";

const signal = new AbortController().signal;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function patterned(bytes: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) content[i] = (i * 31 + (i >> 12)) & 0xff;
  return content;
}

const COPY: LargeCopy = { from: "/in/a", to: "/nas/a", temporary: "/nas/.labferry-tmp-1", durability: "flushed" };

const coded = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PipelineError, String(error));
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
  return true;
};

function world(files: Record<string, string | Uint8Array>, options = {}): MemoryFileSystem {
  return new MemoryFileSystem({ mounts: { "/nas": options }, files });
}

/** Runs a copy that must fail, and checks that nothing is left at the target. */
async function failsClean(fs: MemoryFileSystem, code: string, message?: RegExp): Promise<void> {
  await assert.rejects(copyLarge(fs, COPY, { signal }), coded(code, message));
  fs.fault = undefined;
  assert.deepEqual(Object.keys(fs.tree("/nas")), []);
}

Deno.test("copyLarge() copies any size on a disk in one pass: bytes, hash, mtime, progress", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const MIB = 2 ** 20;
  for (const size of [0, 1, 4095, 4096, 4097, 4 * MIB, 4 * MIB + 1, 13 * MIB + 7]) {
    const [from, to] = [join(dir.path, `in${size}`), join(dir.path, `out${size}`)];
    const content = patterned(size);
    await Deno.writeFile(from, content);
    await Deno.utime(from, new Date(), new Date(1_234_567_890_123));
    let seen = 0;
    const copy: LargeCopy = { from, to, temporary: `${to}.tmp`, durability: size % 2 ? "flushed" : "cached" };
    const result = await copyLarge(fs, copy, { signal, onBytes: (bytes) => seen += bytes });
    assert.equal(result.sha256, sha256(content), `${size} bytes`);
    assert.deepEqual(await Deno.readFile(to), content);
    assert.equal(seen, size);
    assert.equal(result.existed, false);
    assert.equal(result.target?.mtimeMs, 1_234_567_890_123);
    assert.deepEqual(result.target, await fs.lstat(to));
  }
  const names = Array.from(Deno.readDirSync(dir.path), ({ name }) => name);
  assert.deepEqual(names.filter((name) => name.endsWith(".tmp")), []);
});

Deno.test("hashFile() reads any size past the page cache and says how", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  for (const size of [0, 1, 4095, 4096, 4097, 8191, 2 ** 20 - 1, 2 ** 22, 2 ** 22 + 1, 2 ** 23 + 5]) {
    const path = join(dir.path, `${size}`);
    const content = patterned(size);
    await Deno.writeFile(path, content);
    for (const fresh of [true, false]) {
      const result = await hashFile(fs, path, { signal, fresh });
      assert.equal(result.sha256, sha256(content), `${size} bytes, fresh ${fresh}`);
      assert.equal(result.before.size, size);
      if (!fresh) assert.equal(result.medium, "cached");
      else if (Deno.build.os === "linux") assert.ok(["direct", "dropped-cache", "cached"].includes(result.medium));
    }
  }
});

Deno.test("copyLarge() copies a sparse file with its zeros", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [from, to] = [join(dir.path, "sparse"), join(dir.path, "out")];
  {
    using file = await Deno.open(from, { write: true, create: true });
    await file.truncate(9 * 2 ** 20);
    await file.write(new TextEncoder().encode("head"));
  }
  const result = await copyLarge(fs, { from, to, temporary: `${to}.tmp`, durability: "cached" }, { signal });
  assert.equal(result.sha256, sha256(await Deno.readFile(from)));
  assert.equal((await Deno.stat(to)).size, 9 * 2 ** 20);
});

Deno.test("S7 copyLarge() finds equal bytes under the final name and writes nothing", async () => {
  const fs = world({ "/in/a": "abc", "/nas/a": "abc", "/nas/.labferry-tmp-1": "ab" });
  const result = await copyLarge(fs, COPY, { signal });
  assert.equal(result.existed, true);
  assert.equal(result.sha256, sha256(new TextEncoder().encode("abc")));
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "abc" });
});

Deno.test("S7 copyLarge() never replaces other bytes, a folder or a link under the final name", async () => {
  const there: [Record<string, string | { link: string }>, RegExp][] = [
    [{ "/nas/a": "abd" }, /other bytes/],
    [{ "/nas/a": "abcd" }, /a file of 4 bytes is there/],
    [{ "/nas/a/": "" }, /a directory is there/],
    [{ "/nas/a": { link: "/in/a" } }, /a symlink is there/],
  ];
  for (const [files, message] of there) {
    const fs = new MemoryFileSystem({ mounts: { "/nas": {} }, files: { "/in/a": "abc", ...files } });
    const before = fs.tree("/nas");
    await assert.rejects(copyLarge(fs, COPY, { signal }), coded("copy/conflict", message));
    assert.deepEqual(fs.tree("/nas"), before);
  }
});

Deno.test("S7 copyLarge() does not replace a file that appears just before it publishes", async () => {
  for (const options of [{}, { renameNew: false }, { renameNew: false, links: false }]) {
    for (const [appears, code] of [["other", "copy/conflict"], ["abc", undefined]] as const) {
      const fs = world({ "/in/a": "abc" }, options);
      fs.fault = ({ operation }) => {
        if (operation === "close" && fs.tree("/nas")["/nas/a"] === undefined) fs.seed({ "/nas/a": appears });
      };
      if (code) await assert.rejects(copyLarge(fs, COPY, { signal }), coded(code));
      else assert.equal((await copyLarge(fs, COPY, { signal })).existed, true);
      assert.equal(fs.tree("/nas")["/nas/a"], appears);
    }
  }
});

Deno.test("S7 copyLarge() replaces a temporary left over by an earlier attempt", async () => {
  const fs = world({ "/in/a": "abc", "/nas/.labferry-tmp-1": "half-writ" });
  await copyLarge(fs, COPY, { signal });
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "abc" });
});

Deno.test("S7 copyLarge() leaves nothing under the final name when any primitive fails", async () => {
  const hooks: [string, FaultHook, string][] = [
    ["full", ({ operation }) => fail(operation === "write", "ENOSPC"), "io/disk-full"],
    ["flush", ({ operation }) => fail(operation === "sync", "EIO"), "io/failing"],
    ["close", ({ operation, path }) => fail(operation === "close" && path === COPY.temporary, "EIO"), "io/failing"],
    ["read", ({ operation }) => fail(operation === "read", "EIO"), "io/failing"],
    ["create", ({ operation }) => fail(operation === "createNew", "EROFS"), "io/read-only"],
    ["open", ({ operation }) => fail(operation === "openRead", "EACCES"), "io/denied"],
    ["lost", ({ operation }) => fail(operation === "setMtime", "ENOTCONN"), "io/lost"],
  ];
  for (const [name, hook, code] of hooks) {
    const fs = world({ "/in/a": "abc" });
    fs.fault = hook;
    await failsClean(fs, code, new RegExp(`"${name === "open" || name === "read" ? "/in/a" : "/nas/a"}"`));
  }
});

function fail(when: boolean, errno: string): void {
  if (when) throw systemError(errno);
}

Deno.test("S6 copyLarge() names both stats of a source that changed while it was read", async () => {
  const fs = world({ "/in/a": "abc" });
  fs.fault = ({ operation, path }) => {
    if (operation === "read" && path === "/in/a") fs.seed({ "/in/a": "abd" });
  };
  await failsClean(fs, "copy/source-changed", /before: file of 3 bytes.* after: file of 3 bytes, mtime .*inode/);
});

Deno.test("S18 copyLarge() takes a short read for a failure", async () => {
  const fs = world({ "/in/a": "abcdef" });
  let reads = 0;
  fs.fault = ({ operation, path }) => {
    if (operation === "read" && path === "/in/a") return { short: reads++ === 0 ? 4 : 0 };
  };
  await failsClean(fs, "copy/short-read", /read 4 bytes, wanted 6/);
});

Deno.test("hashFile() sees one flipped bit that the disk gives back", async () => {
  const fs = world({ "/nas/a": "abc" });
  const good = await hashFile(fs, "/nas/a", { signal, fresh: true });
  fs.fault = ({ operation }) => operation === "read" ? { flipBit: 5 } : undefined;
  assert.notEqual((await hashFile(fs, "/nas/a", { signal, fresh: true })).sha256, good.sha256);
});

Deno.test("S15 copyLarge() and hashFile() follow no link and open nothing that is no file", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  await Deno.writeTextFile(join(dir.path, "real"), "x");
  await Deno.symlink(join(dir.path, "real"), join(dir.path, "link"));
  for (const fresh of [true, false]) {
    await assert.rejects(hashFile(fs, join(dir.path, "link"), { signal, fresh }), coded("io/link"));
    await assert.rejects(hashFile(fs, dir.path, { signal, fresh }), coded("io/folder"));
    await assert.rejects(hashFile(fs, join(dir.path, "none"), { signal, fresh }), coded("io/gone"));
    if (Deno.build.os !== "windows") await assert.rejects(hashFile(fs, "/dev/zero", { signal, fresh }), PipelineError);
  }
  const to = join(dir.path, "to");
  const copy: LargeCopy = { from: join(dir.path, "link"), to, temporary: `${to}.tmp`, durability: "cached" };
  await assert.rejects(copyLarge(fs, copy, { signal }), coded("io/link"));
});

Deno.test("S22 copyLarge() stopped in the middle leaves no final name and no temporary", async () => {
  const stops: ((fs: FileSystem, copy: LargeCopy) => Promise<unknown>)[] = [
    (fs, copy) => {
      const stop = new AbortController();
      return copyLarge(fs, copy, { signal: stop.signal, onBytes: () => stop.abort() });
    },
    (fs, copy) => copyLarge(fs, copy, { signal: AbortSignal.abort() }),
  ];
  await using dir = await tempDir();
  await using fs = new Disk();
  const [from, to] = [join(dir.path, "in"), join(dir.path, "out")];
  await Deno.writeFile(from, patterned(40 * 2 ** 20));
  for (const stop of stops) {
    const copy: LargeCopy = { from, to, temporary: `${to}.tmp`, durability: "cached" };
    await assert.rejects(stop(fs, copy), { name: "AbortError" });
    assert.deepEqual(Array.from(Deno.readDirSync(dir.path), ({ name }) => name), ["in"]);
  }
});
