import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fromFileUrl } from "@std/path";
import { Disk } from "../../../core/io/disk.ts";
import { DiskFiles, whileBusy } from "../../../core/io/disk_files.ts";
import type { SmallResult } from "../../../core/io/file_system.ts";
import { copyLarge, copySmall, hashFile, hashSmall } from "../../../core/io/transfer.ts";
import { Patience } from "../../../core/io/windows.ts";
import { tempDir } from "../../kit/temp.ts";

const signal = new AbortController().signal;
const LINUX = Deno.build.os === "linux";
const ROOT_ON_LINUX = LINUX && Deno.uid() === 0;
const errno = (code: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, code);
  return true;
};

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** A small file system in memory, mounted below a temporary folder; needs root. */
async function smallMount(options: string): Promise<AsyncDisposable & { path: string }> {
  const dir = await tempDir();
  const path = join(dir.path, "mnt");
  await Deno.mkdir(path);
  await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Disk makes, reads, links, renames and removes, and says what is absent", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [a, b, sub] = ["a", "b", "sub"].map((name) => join(dir.path, name));
  assert.equal(await fs.lstat(a), undefined);
  assert.equal(await fs.lstat(join(a, "below")), undefined);
  {
    await using file = await fs.createNew(a);
    await file.write(new TextEncoder().encode("hello"));
    await file.setMtime(1_111_111_111_111);
    await file.sync();
  }
  assert.equal((await fs.lstat(a))?.mtimeMs, 1_111_111_111_111);
  await assert.rejects(fs.createNew(a), errno("EEXIST"));
  await fs.link(a, b);
  await assert.rejects(fs.link(a, b), errno("EEXIST"));
  assert.equal((await fs.lstat(a))?.ino, (await fs.lstat(b))?.ino);
  assert.equal(await fs.readText(b), "hello");
  assert.equal(await fs.mkdir(sub), true);
  assert.equal(await fs.mkdir(sub), false);
  await assert.rejects(fs.mkdir(a), errno("EEXIST"));
  assert.deepEqual((await fs.readDir(dir.path)).sort((x, y) => x.name < y.name ? -1 : 1), [
    { name: "a", kind: "file" },
    { name: "b", kind: "file" },
    { name: "sub", kind: "directory" },
  ]);
  await fs.rename(b, join(sub, "c"));
  await fs.syncDir(sub);
  await assert.rejects(fs.removeEmptyDir(sub), errno("ENOTEMPTY"));
  await fs.removeFile(join(sub, "c"));
  await fs.removeEmptyDir(sub);
  assert.equal(await fs.realPath(a), a);
  const { free, total } = await fs.space(dir.path);
  assert.ok(free > 0 && total >= free);
});

Deno.test("S20 Disk.removeFile() removes no folder, removeEmptyDir() no file", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [file, folder] = [join(dir.path, "file"), join(dir.path, "folder")];
  await Deno.writeTextFile(file, "x");
  await Deno.mkdir(folder);
  await assert.rejects(fs.removeFile(folder), errno("EISDIR"));
  await assert.rejects(fs.removeEmptyDir(file), errno("ENOTDIR"));
  assert.equal((await fs.readDir(dir.path)).length, 2);
  await assert.rejects(fs.removeFile(join(dir.path, "none")), errno("ENOENT"));
});

Deno.test("S15 Disk removes a link and not what it names, and opens none for writing", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [real, link] = [join(dir.path, "real"), join(dir.path, "link")];
  await Deno.writeTextFile(real, "x");
  await Deno.symlink(real, link);
  await assert.rejects(fs.openReadWrite(link), errno("ELOOP"));
  await assert.rejects(fs.setMtime(link, 0), errno("ELOOP"));
  await fs.removeFile(link);
  assert.equal(await Deno.readTextFile(real), "x");
});

Deno.test("S7 Disk.renameNew() never replaces", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [a, b, c] = ["a", "b", "c\nodd\\"].map((name) => join(dir.path, name));
  await Deno.writeTextFile(a, "a");
  await Deno.writeTextFile(b, "b");
  assert.equal(await fs.renameNew(a, b), false);
  assert.equal(await Deno.readTextFile(b), "b");
  const renamed = await fs.renameNew(a, c);
  assert.ok(renamed === true || renamed === undefined);
  assert.equal(await Deno.readTextFile(renamed ? c : a), "a");
});

Deno.test("S10 FileHandle.tryLock() excludes a second handle and ends with the first", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const path = join(dir.path, "lock");
  const first = await fs.openReadWrite(path);
  await using second = await fs.openReadWrite(path);
  assert.equal(await first.tryLock(), true);
  assert.equal(await second.tryLock(), false);
  await first.close();
  await first.close();
  assert.equal(await second.tryLock(), true);
});

Deno.test("FileHandle seeks and truncates", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  await using file = await fs.openReadWrite(join(dir.path, "f"));
  await file.write(new TextEncoder().encode("0123456789"));
  await file.truncate(6);
  await file.seek(4);
  const buffer = new Uint8Array(10);
  assert.equal(await file.read(buffer), 2);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 2)), "45");
  assert.equal(await file.read(buffer), 0);
});

Deno.test("a fresh handle reads from any offset into any buffer, and cannot be written", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const path = join(dir.path, "f");
  const content = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
  await Deno.writeFile(path, content);
  await using file = await fs.openRead(path, { fresh: true });
  await assert.rejects(file.write(new Uint8Array(1)), errno("EBADF"));
  const odd = new Uint8Array(777);
  const parts: number[] = [];
  for (let got = await file.read(odd); got > 0; got = await file.read(odd)) parts.push(...odd.subarray(0, got));
  assert.deepEqual(Uint8Array.from(parts), content);
  if (file.medium !== "direct") return;
  await file.seek(12_345);
  const got = await file.read(odd);
  assert.deepEqual(odd.subarray(0, got), content.subarray(12_345, 12_345 + got));
});

Deno.test("DiskFiles hashes and copies on the calling thread too", async () => {
  await using dir = await tempDir();
  const fs = new DiskFiles();
  await Deno.writeTextFile(join(dir.path, "a"), "abc");
  const result = await hashFile(fs, join(dir.path, "a"), { signal, fresh: true });
  assert.equal(result.sha256, createHash("sha256").update("abc").digest("hex"));
});

Deno.test("whileBusy() waits with the clock it is given and gives up with the system's error", async () => {
  const sleeps: number[] = [];
  const clock = { sleep: (ms: number) => Promise.resolve(void sleeps.push(ms)) };
  const busy = Object.assign(new Error("busy"), { code: "EBUSY" });
  let left = 3;
  const work = () => left-- > 0 ? Promise.reject(busy) : Promise.resolve("done");
  assert.equal(await whileBusy(work, { patience: new Patience("windows"), clock }), "done");
  assert.deepEqual(sleeps, [10, 20, 30]);
  const never = whileBusy(() => Promise.reject(busy), { patience: new Patience("linux"), clock });
  await assert.rejects(never, busy);
  assert.equal(sleeps.length, 3);
});

Deno.test("copySmall() carries names with newline, backslash, quote, space and other scripts", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const odd = Deno.build.os === "windows"
    ? ["plain", "µ 結果 é"]
    : ["new\nline", "back\\slash", `q"'`, " lead", "µ 結果 é"];
  const files = odd.map((name, i) => {
    Deno.writeTextFileSync(join(dir.path, name), `${i}`);
    return {
      from: join(dir.path, name),
      to: join(dir.path, `${name}.out`),
      temporary: join(dir.path, `t${i}`),
      size: 1,
    };
  });
  const results = await copySmall(fs, files, { signal, durability: "flushed" });
  for (const [i, { to }] of files.entries()) {
    assert.ok(results[i].ok);
    assert.equal(await Deno.readTextFile(to), `${i}`);
  }
});

const failureCodes = (results: SmallResult[]) => results.map((result) => result.ok ? "ok" : result.code);

Deno.test({
  name: "copyLarge() and copySmall() say that the disk is full, leave no final name, and go on when there is room",
  // Mounting a small file system needs root on Linux.
  ignore: !ROOT_ON_LINUX,
  fn: async () => {
    await using dir = await tempDir();
    await using mount = await smallMount("size=2m");
    await using fs = new Disk();
    const [from, to] = [join(dir.path, "in"), join(mount.path, "out")];
    await Deno.writeFile(from, new Uint8Array(3 * 2 ** 20));
    const copy = { from, to, temporary: join(mount.path, ".t"), durability: "flushed" } as const;
    const full = { code: "io/disk-full", message: /the disk is full \(ENOSPC\)/, hint: /Free space/ };
    await assert.rejects(copyLarge(fs, copy, { signal }), full);
    assert.deepEqual(await fs.readDir(mount.path), []);
    const files = [0, 1, 2].map((i) => {
      Deno.writeFileSync(join(dir.path, `s${i}`), new Uint8Array(2 ** 20));
      return {
        from: join(dir.path, `s${i}`),
        to: join(mount.path, `s${i}`),
        temporary: join(mount.path, `.t${i}`),
        size: 2 ** 20,
      };
    });
    const codes = failureCodes(await copySmall(fs, files, { signal, durability: "flushed" }));
    assert.deepEqual([...codes].sort(), ["io/disk-full", "ok", "ok"]);
    assert.equal((await fs.readDir(mount.path)).length, 2);
    await run("mount", "-o", "remount,size=8m", mount.path);
    assert.deepEqual(failureCodes(await copySmall(fs, files, { signal, durability: "flushed" })), ["ok", "ok", "ok"]);
    assert.equal((await copyLarge(fs, copy, { signal })).existed, false);
  },
});

Deno.test({
  name: "a file system in memory is its own medium: nothing lies beneath it",
  // Mounting a small file system needs root on Linux.
  ignore: !ROOT_ON_LINUX,
  fn: async () => {
    await using mount = await smallMount("size=2m");
    await using fs = new Disk();
    await Deno.writeTextFile(join(mount.path, "a"), "abc");
    assert.equal((await hashFile(fs, join(mount.path, "a"), { signal, fresh: true })).medium, "direct");
    await using file = await fs.openRead(join(mount.path, "a"), { fresh: true });
    assert.equal(await file.read(new Uint8Array(9)), 3);
    const [small] = await hashSmall(fs, [{ path: join(mount.path, "a"), size: 3 }], { signal, fresh: true });
    assert.equal(small.ok && small.medium, "direct");
  },
});

Deno.test({
  name: "copyLarge() says that a file system is mounted read-only",
  // Mounting a small file system needs root on Linux.
  ignore: !ROOT_ON_LINUX,
  fn: async () => {
    await using dir = await tempDir();
    await using mount = await smallMount("size=2m,ro");
    await using fs = new Disk();
    await Deno.writeTextFile(join(dir.path, "a"), "abc");
    const copy = { from: join(dir.path, "a"), to: join(mount.path, "a"), temporary: join(mount.path, ".t") };
    const refused = copyLarge(fs, { ...copy, durability: "cached" }, { signal });
    await assert.rejects(refused, { code: "io/read-only", hint: /Mount it for writing/ });
  },
});

const DISK_MODULE = new URL("../../../core/io/disk.ts", import.meta.url).href;
const TRANSFER_MODULE = new URL("../../../core/io/transfer.ts", import.meta.url).href;
const CONFIG = fromFileUrl(new URL("../../../deno.json", import.meta.url));

Deno.test({
  name: "openRead({ fresh }) reads a file of one byte as it reads others, and in either order",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using dir = await tempDir();
    await Deno.writeFile(join(dir.path, "one"), new Uint8Array(1));
    await Deno.writeFile(join(dir.path, "big"), new Uint8Array(2 ** 20));
    const media = async (first: string, second: string) => {
      // What a device was seen to do is remembered by the process: each order gets one of its own.
      const { stdout } = await child(`for (const name of ${JSON.stringify([first, second])}) {
        const file = await fs.openRead(${JSON.stringify(dir.path)} + "/" + name, { fresh: true });
        console.log(name, file.medium); await file.close();
      } await fs[Symbol.asyncDispose]();`).output();
      return new TextDecoder().decode(stdout).trim().split("\n").sort();
    };
    assert.deepEqual(await media("one", "big"), await media("big", "one"));
  },
});

function child(code: string, ...before: string[]): Deno.Command {
  const source = `import { Disk } from ${JSON.stringify(DISK_MODULE)};
    import { copyLarge, copySmall } from ${JSON.stringify(TRANSFER_MODULE)};
    const signal = new AbortController().signal; const fs = new Disk(); ${code}`;
  const argv = [
    ...before,
    Deno.execPath(),
    "run",
    "-A",
    "-q",
    "--config",
    CONFIG,
    `data:text/typescript,${encodeURIComponent(source)}`,
  ];
  return new Deno.Command(argv[0], { args: argv.slice(1), stdout: "piped", stderr: "inherit" });
}

Deno.test({
  name: "copySmall() says that a user without the right may not read a file",
  // Giving up capabilities needs root on Linux.
  ignore: !ROOT_ON_LINUX,
  fn: async () => {
    await using dir = await tempDir();
    const from = join(dir.path, "secret");
    await Deno.writeTextFile(from, "abc");
    await Deno.chmod(from, 0o000);
    const file = { from, to: join(dir.path, "out"), temporary: join(dir.path, ".t"), size: 3 };
    const code = `console.log(JSON.stringify(await copySmall(fs, [${
      JSON.stringify(file)
    }], { signal, durability: "cached" })))`;
    // Without capabilities the superuser is bound by permissions as anybody else, and can still load the modules.
    const command = child(code, "setpriv", "--inh-caps=-all", "--bounding-set=-all");
    const { stdout, success } = await command.output();
    assert.ok(success);
    assert.match(new TextDecoder().decode(stdout), /"code":"io\/denied"/);
    assert.equal(await new DiskFiles().lstat(file.to), undefined);
  },
});

Deno.test({
  name: "whyNotWritable() says that an account without the right may not write, and touches nothing",
  // Giving up capabilities needs root on Linux.
  ignore: !ROOT_ON_LINUX,
  fn: async () => {
    await using dir = await tempDir();
    const [open, closed, link] = ["open", "closed", "link"].map((name) => join(dir.path, name));
    for (const path of [open, closed]) await Deno.mkdir(path);
    await Deno.symlink(closed, link);
    await Deno.chmod(closed, 0o555);
    const before = (await Deno.stat(closed)).mtime;
    const code = `for (const path of ${JSON.stringify([open, closed, link])}) {
      console.log(await fs.whyNotWritable(path));
    }`;
    const { stdout, success } = await child(code, "setpriv", "--inh-caps=-all", "--bounding-set=-all").output();
    assert.ok(success);
    const no = "this account may not write there";
    assert.equal(new TextDecoder().decode(stdout), `undefined\n${no}\n${no}\n`);
    assert.deepEqual((await Deno.stat(closed)).mtime, before);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(closed)), []);
  },
});

Deno.test({
  name: "whyNotWritable() tells a file system that is mounted for reading only",
  // A mount of its own needs a namespace of its own.
  ignore: !ROOT_ON_LINUX || !await canMount(),
  fn: async () => {
    await using dir = await tempDir();
    const mount = `mount -t tmpfs -o ro none "${dir.path}" && exec "$@"`;
    const code = `console.log(await fs.whyNotWritable(${JSON.stringify(dir.path)}));`;
    const { stdout, success } = await child(code, "unshare", "-m", "sh", "-c", mount, "sh").output();
    assert.ok(success);
    assert.equal(new TextDecoder().decode(stdout), "its file system is mounted for reading only\n");
  },
});

async function canMount(): Promise<boolean> {
  const args = ["-m", "mount", "-t", "tmpfs", "-o", "ro", "none", "/mnt"];
  return await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

Deno.test("S22 a process killed in the middle of a copy leaves no final name, and a repeat finishes", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const [from, to] = [join(dir.path, "in"), join(dir.path, "out")];
  const content = new Uint8Array(64 * 2 ** 20).map((_, i) => i >> 8);
  await Deno.writeFile(from, content);
  const copy = { from, to, temporary: join(dir.path, ".t"), durability: "flushed" } as const;
  // Its thread waits for ever at the third block: the copy cannot be done before it is killed.
  const stops = "const { write } = Deno.FsFile.prototype; let writes = 0; Deno.FsFile.prototype.write = " +
    "function (bytes) { return ++writes > 2 ? new Promise(() => {}) : write.call(this, bytes); };";
  const running = child(`
    const urlOf = (text) => "data:text/javascript," + encodeURIComponent(text);
    const before = urlOf(${JSON.stringify(stops)});
    globalThis.Worker = class extends Worker {
      constructor(url, options) { super(urlOf(\`import "\${before}"; import "\${url}";\`), options); }
    };
    let told = false;
    const onBytes = () => { if (!told) { told = true; console.log("copying"); } };
    await copyLarge(fs, ${JSON.stringify(copy)}, { signal, onBytes });`).spawn();
  const reader = running.stdout.getReader();
  assert.ok(!(await reader.read()).done);
  running.kill("SIGKILL");
  await running.status;
  await reader.cancel();
  assert.equal(await fs.lstat(to), undefined);
  const result = await copyLarge(fs, copy, { signal });
  assert.equal(result.sha256, createHash("sha256").update(content).digest("hex"));
  assert.deepEqual((await fs.readDir(dir.path)).map(({ name }) => name).sort(), ["in", "out"]);
});
