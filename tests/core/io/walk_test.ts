import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { Disk } from "../../../core/io/disk.ts";
import { compareBytes } from "../../../core/io/paths.ts";
import { walkNames, walkTree } from "../../../core/io/walk.ts";
import { MemoryFileSystem, systemError } from "../../../testing/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";

const paths = (fs: MemoryFileSystem, options = {}) =>
  Array.fromAsync(walkTree(fs, "/in", options), ({ path, kind }) => kind === "directory" ? `${path}/` : path);

Deno.test("walkTree() yields byte order, folders before what they hold, links unfollowed", async () => {
  const fs = new MemoryFileSystem({
    files: {
      "/in/a!b": "",
      "/in/a/z": "12",
      "/in/a/b/c": "",
      "/in/a.txt": "",
      "/in/B": "",
      "/in/empty/": "",
      "/in/link": { link: "/in/a" },
      "/in/\uffee": "",
      "/in/\u{1f600}": "",
      "/in/odd\\name\nhere": "",
    },
  });
  assert.deepEqual(await paths(fs), [
    "B",
    "a!b",
    "a.txt",
    "a/",
    "a/b/",
    "a/b/c",
    "a/z",
    "empty/",
    "link",
    "odd\\name\nhere",
    "\uffee",
    "\u{1f600}",
  ]);
  const entries = await Array.fromAsync(walkTree(fs, "/in"));
  assert.equal(entries.find(({ path }) => path === "link")?.kind, "symlink");
  assert.equal(entries.find(({ path }) => path === "a/z")?.size, 2);
});

Deno.test("walkTree() leaves out the lock at the root and temporaries, and nothing else", async () => {
  const temporary = `.labferry-tmp-${"0".repeat(32)}`;
  const fs = new MemoryFileSystem({
    files: { "/in/.labferry.lock": "", "/in/a/.labferry.lock": "", [`/in/a/${temporary}`]: "", "/in/.labferry-x": "" },
  });
  assert.deepEqual(await paths(fs), [".labferry-x", "a/", "a/.labferry.lock"]);
  assert.deepEqual(await paths(fs, { leaveOut: () => false }), [
    ".labferry-x",
    ".labferry.lock",
    "a/",
    `a/${temporary}`,
    "a/.labferry.lock",
  ]);
});

Deno.test("walkTree() goes as deep as asked", async () => {
  const fs = new MemoryFileSystem({ files: { "/in/a/b/c": "", "/in/d": "" } });
  assert.deepEqual(await paths(fs, { depth: 1 }), ["a/", "d"]);
  assert.deepEqual(await paths(fs, { depth: 2 }), ["a/", "a/b/", "d"]);
});

Deno.test("S15 walkTree() refuses a root that is a link, a file, or absent", async () => {
  const fs = new MemoryFileSystem({ files: { "/real/a": "", "/link": { link: "/real" }, "/file": "" } });
  for (const root of ["/link", "/file", "/none"]) {
    await assert.rejects(Array.fromAsync(walkTree(fs, root)), { code: "walk/no-folder" }, root);
  }
});

Deno.test("S18 walkTree() fails when a folder cannot be read or an entry vanishes", async () => {
  const fs = new MemoryFileSystem({ files: { "/in/a/b": "", "/in/c": "" } });
  fs.fault = ({ operation, path }) => {
    if (operation === "readDir" && path === "/in/a") throw systemError("EACCES");
  };
  await assert.rejects(paths(fs), { code: "io/denied", message: /Cannot list "\/in\/a"/ });
  fs.fault = ({ operation, path }) => {
    if (operation === "lstat" && path === "/in/c" && fs.tree("/in")["/in/c"] !== undefined) fs.disk.removeFile("/in/c");
  };
  await assert.rejects(paths(fs), { code: "walk/changed", message: /was a file and is now gone/ });
});

Deno.test({
  name: "S14 walkTree() still yields a name that is not valid text, for the check of names",
  // Only Linux lets such a name be made.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using dir = await tempDir();
    await using fs = new Disk();
    const made = await new Deno.Command("sh", { args: ["-c", `touch "$(printf 'bad\\377')"`], cwd: dir.path }).output();
    assert.ok(made.success);
    const entries = await Array.fromAsync(walkTree(fs, dir.path));
    assert.deepEqual(entries.map(({ path }) => path), ["bad\ufffd"]);
  },
});

Deno.test("walkTree() and walkNames() yield every entry once, in byte order of the whole paths", async () => {
  const name = fc.string({
    unit: fc.constantFrom("a", "b", "!", ".", "/", "0", "\uffee", "\u{1f600}", "é"),
    minLength: 1,
  });
  const path = name.filter((text) => text.split("/").every((part) => !["", ".", ".."].includes(part)));
  await fc.assert(fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), async (files) => {
    const fs = new MemoryFileSystem({ files: { "/in/": "" } });
    const made = files.filter((file) => {
      try {
        fs.seed({ [`/in/${file}`]: "" });
        return fs.tree("/in")[`/in/${file}`] === "";
      } catch {
        // A file stands where this path wants a folder: the tree goes without it.
        return false;
      }
    });
    const walked = await Array.fromAsync(walkTree(fs, "/in"));
    const keys = walked.map((entry) => entry.kind === "directory" ? `${entry.path}/` : entry.path);
    assert.deepEqual(keys, [...keys].sort(compareBytes));
    const found = walked.filter((entry) => entry.kind === "file").map((entry) => entry.path);
    assert.deepEqual(new Set(found), new Set(made.filter((file) => fs.tree("/in")[`/in/${file}`] !== undefined)));
    assert.equal(new Set(keys).size, keys.length);
    const names = await Array.fromAsync(walkNames(fs, "/in"));
    assert.deepEqual(names, walked.map(({ path, kind }) => ({ path, kind })));
  }));
});

Deno.test("walkTree() agrees with find and sort on a real disk, across many stats", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  for (const folder of ["a", "b", "a/c"]) {
    Deno.mkdirSync(join(dir.path, folder));
    for (let i = 0; i < 700; i++) Deno.writeTextFileSync(join(dir.path, folder, `${i}.tif`), "x".repeat(i % 5));
  }
  const walked = await Array.fromAsync(walkTree(fs, dir.path));
  assert.equal(walked.length, 2103);
  for (const entry of walked.filter((_, i) => i % 97 === 0)) {
    const stat = await fs.lstat(join(dir.path, entry.path));
    assert.deepEqual({ ...entry }, {
      path: entry.path,
      kind: stat?.kind,
      size: stat?.size,
      mtimeMs: stat?.mtimeMs,
      ctimeMs: stat?.ctimeMs,
      birthtimeMs: stat?.birthtimeMs,
    });
  }
});

Deno.test("walkTree() stops at the signal", async () => {
  const fs = new MemoryFileSystem({ files: { "/in/a": "", "/in/b": "" } });
  await assert.rejects(Array.fromAsync(walkTree(fs, "/in", { signal: AbortSignal.abort() })), { name: "AbortError" });
});
