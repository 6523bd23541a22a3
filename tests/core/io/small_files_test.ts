import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Disk } from "../../../core/io/disk.ts";
import type { SmallCopy, SmallResult } from "../../../core/io/file_system.ts";
import { copySmall, errorOf, hashSmall, SMALL_FILE_BYTES } from "../../../core/io/transfer.ts";
import { MemoryFileSystem, systemError } from "../../../testing/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";

const signal = new AbortController().signal;
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

function copiesOf(names: string[], size: number): SmallCopy[] {
  return names.map((name) => ({ from: `/in/${name}`, to: `/nas/${name}`, temporary: `/nas/.tmp-${name}`, size }));
}

function world(options = {}): MemoryFileSystem {
  return new MemoryFileSystem({
    mounts: { "/nas": options },
    files: { "/in/a": "aaa", "/in/b": "bbb", "/in/c": "ccc" },
  });
}

const codes = (results: SmallResult[]) => results.map((result) => result.ok ? "ok" : result.code);

Deno.test("copySmall() copies hundreds of files on a disk through threads: bytes, hash, mtime, order", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [source, target] = [join(dir.path, "in"), join(dir.path, "out")];
  await Deno.mkdir(source);
  await Deno.mkdir(target);
  const content = (i: number) => `${i}:`.repeat(i % 700);
  const names = Array.from({ length: 600 }, (_, i) => `f${i}`);
  for (const [i, name] of names.entries()) Deno.writeTextFileSync(join(source, name), content(i));
  Deno.utimeSync(join(source, "f7"), new Date(), new Date(1_000_000_000_999));
  const files = names.map((name, i) => ({
    from: join(source, name),
    to: join(target, name),
    temporary: join(target, `.tmp-${name}`),
    size: content(i).length,
  }));
  for (const durability of ["flushed", "cached"] as const) {
    let bytes = 0;
    const results = await copySmall(fs, files, { signal, durability, onBytes: (more) => bytes += more });
    assert.equal(bytes, files.reduce((sum, file) => sum + file.size, 0));
    for (const [i, result] of results.entries()) {
      assert.ok(result.ok, JSON.stringify(result));
      assert.equal(result.sha256, sha256(content(i)));
      assert.equal(result.existed, durability === "cached");
      assert.deepEqual(result.target, i === 7 ? await fs.lstat(files[i].to) : result.target);
      assert.equal(Deno.readTextFileSync(files[i].to), content(i));
    }
  }
  assert.equal(Deno.statSync(join(target, "f7")).mtime?.getTime(), 1_000_000_000_999);
  assert.equal([...Deno.readDirSync(target)].length, names.length);
  for (const fresh of [true, false]) {
    const hashes = await hashSmall(fs, files.map(({ to, size }) => ({ path: to, size })), { signal, fresh });
    for (const [i, result] of hashes.entries()) assert.equal(result.ok && result.sha256, sha256(content(i)));
  }
});

Deno.test("copySmall() and hashSmall() take every size up to the largest small file", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const sizes = [0, 1, 511, 4095, 4096, 4097, 65_536, 65_537, SMALL_FILE_BYTES - 1, SMALL_FILE_BYTES];
  const files = sizes.map((size) => {
    const from = join(dir.path, `in${size}`);
    Deno.writeFileSync(from, new Uint8Array(size).fill(size & 0xff));
    return { from, to: join(dir.path, `out${size}`), temporary: join(dir.path, `tmp${size}`), size };
  });
  const copied = await copySmall(fs, files, { signal, durability: "flushed" });
  const fresh = await hashSmall(fs, files.map(({ to, size }) => ({ path: to, size })), { signal, fresh: true });
  for (const [i, size] of sizes.entries()) {
    const wanted = sha256(new Uint8Array(size).fill(size & 0xff));
    assert.equal(copied[i].ok && copied[i].sha256, wanted);
    assert.equal(fresh[i].ok && fresh[i].sha256, wanted, `${size} bytes`);
  }
});

Deno.test("S19 copySmall() reports each failure by itself and copies the rest", async () => {
  const fs = world();
  fs.seed({ "/nas/c": "other" });
  const files = copiesOf(["a", "b", "c", "gone"], 3);
  fs.fault = ({ operation, path }) => {
    if (operation === "openRead" && path === "/in/b") throw systemError("EACCES");
  };
  const results = await copySmall(fs, files, { signal, durability: "flushed" });
  assert.deepEqual(codes(results), ["ok", "io/denied", "copy/conflict", "io/gone"]);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "aaa", "/nas/c": "other" });
  const denied = results[1];
  assert.ok(!denied.ok);
  assert.match(errorOf(denied).message, /Cannot copy "\/in\/b": the system denies access/);
  assert.ok(errorOf(denied).hint);
});

Deno.test("S7 copySmall() claims nothing when the flush of the file system fails", async () => {
  const fs = world();
  fs.fault = ({ operation }) => {
    if (operation === "flush") throw systemError("EIO");
  };
  const results = await copySmall(fs, copiesOf(["a", "b"], 3), { signal, durability: "flushed" });
  assert.deepEqual(codes(results), ["io/failing", "io/failing"]);
  assert.deepEqual(fs.tree("/nas"), {});
});

Deno.test("S7 copySmall() claims nothing when a folder cannot be flushed, and a repeat finds the files", async () => {
  const fs = world();
  fs.fault = ({ operation }) => {
    if (operation === "syncDir") throw systemError("EIO");
  };
  const files = copiesOf(["a", "b"], 3);
  assert.deepEqual(codes(await copySmall(fs, files, { signal, durability: "flushed" })), ["io/failing", "io/failing"]);
  fs.fault = undefined;
  const again = await copySmall(fs, files, { signal, durability: "flushed" });
  assert.deepEqual(again.map((result) => result.ok && result.existed), [true, true]);
});

Deno.test("S7 copySmall() never replaces a final name, by whichever way it publishes", async () => {
  for (const options of [{}, { renameNew: false }, { renameNew: false, links: false }]) {
    const fs = world(options);
    fs.fault = ({ operation, path }) => {
      if (operation === "close" && path === "/nas/.tmp-a") fs.seed({ "/nas/a": "XXX", "/nas/b": "bbb" });
    };
    const results = await copySmall(fs, copiesOf(["a", "b"], 3), { signal, durability: "flushed" });
    assert.deepEqual(codes(results), ["copy/conflict", "ok"]);
    const { "/nas/a": a, "/nas/b": b } = fs.tree("/nas");
    assert.deepEqual([a, b], ["XXX", "bbb"]);
  }
});

Deno.test("S7 copySmall() flushes each file by itself where a flush of the whole file system does not cover it", async () => {
  const fs = new MemoryFileSystem({
    mounts: { "/nas": {}, "/nas/sub": {} },
    files: { "/in/a": "aaa", "/in/sub/b": "bbb" },
  });
  const files = copiesOf(["a", "sub/b"], 3).map((file, i) => ({ ...file, temporary: ["/nas/.t", "/nas/sub/.t"][i] }));
  assert.deepEqual(codes(await copySmall(fs, files, { signal, durability: "flushed" })), ["ok", "ok"]);
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "aaa", "/nas/sub/b": "bbb" });
});

Deno.test("S6 copySmall() and hashSmall() find a file that changes while it is read", async () => {
  const fs = world();
  fs.fault = ({ operation, path }) => {
    if (operation === "read" && path === "/in/a") fs.seed({ "/in/a": "AAA" });
  };
  assert.deepEqual(codes(await copySmall(fs, copiesOf(["a", "b"], 3), { signal, durability: "cached" })), [
    "copy/source-changed",
    "ok",
  ]);
  const hashes = await hashSmall(fs, [{ path: "/in/a", size: 3 }], { signal, fresh: true });
  assert.deepEqual(codes(hashes), ["copy/source-changed"]);
});

Deno.test("S18 copySmall() refuses a file of another size than listed, and a short read", async () => {
  const fs = world();
  const results = await copySmall(fs, copiesOf(["a"], 4), { signal, durability: "cached" });
  assert.deepEqual(codes(results), ["copy/source-changed"]);
  let reads = 0;
  fs.fault = ({ operation, path }) => operation === "read" && path === "/in/b" ? { short: reads++ ? 0 : 2 } : undefined;
  assert.deepEqual(codes(await copySmall(fs, copiesOf(["b"], 3), { signal, durability: "cached" })), [
    "copy/short-read",
  ]);
  assert.deepEqual(fs.tree("/nas"), {});
});

Deno.test("copySmall() stops at the signal and leaves no half-written final name", async () => {
  const fs = world();
  const stop = new AbortController();
  const files = copiesOf(["a", "b", "c"], 3);
  await assert.rejects(
    copySmall(fs, files, { signal: stop.signal, durability: "cached", onBytes: () => stop.abort() }),
    { name: "AbortError" },
  );
  assert.deepEqual(Object.keys(fs.tree("/nas")).filter((path) => !path.includes(".tmp-")), []);
});

Deno.test("S7 S22 copySmall() flushes an equal file that stood already, whoever wrote it", async () => {
  const fs = world({ barrier: false });
  await copySmall(fs, copiesOf(["a", "b"], 3), { signal, durability: "cached" });
  const results = await copySmall(fs, copiesOf(["a", "b"], 3), { signal, durability: "flushed" });
  assert.deepEqual(results.map((result) => result.ok && result.existed), [true, true]);
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "aaa", "/nas/b": "bbb" });
});

Deno.test("S7 S22 copySmall() flushes an equal file that appears after the flush of the whole, before it publishes", async () => {
  const fs = world();
  fs.fault = ({ operation, path }) => {
    if (operation !== "renameNew" || path !== "/nas/a") return;
    fs.fault = undefined;
    const other = fs.disk.createNew("/nas/a");
    other.write(new TextEncoder().encode("aaa"));
    other.close();
  };
  const [result] = await copySmall(fs, copiesOf(["a"], 3), { signal, durability: "flushed" });
  assert.equal(result.ok && result.existed, true);
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "aaa" });
});
