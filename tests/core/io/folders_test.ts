import assert from "node:assert/strict";
import { makeFolders } from "../../../core/io/folders.ts";
import { MemoryFileSystem, systemError } from "../../../testing/memory_file_system.ts";

Deno.test("S7 makeFolders() makes what is missing and flushes every new name", async () => {
  const fs = new MemoryFileSystem({ files: { "/nas/a/": "" } });
  await makeFolders(fs, { root: "/nas", relative: "a/b/c" }, { durability: "flushed" });
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a/b/c/": "" });
});

Deno.test("makeFolders() remembers what it made and does not ask again", async () => {
  const fs = new MemoryFileSystem({ files: { "/nas/": "" } });
  const known = new Set<string>();
  await makeFolders(fs, { root: "/nas", relative: "a/b" }, { durability: "flushed", known });
  const calls = fs.calls;
  await makeFolders(fs, { root: "/nas", relative: "a/b" }, { durability: "flushed", known });
  await makeFolders(fs, { root: "/nas", relative: "" }, { durability: "flushed", known });
  assert.equal(fs.calls, calls);
  assert.deepEqual([...known], ["a", "a/b"]);
});

Deno.test("S15 makeFolders() goes through no link and past no file", async () => {
  const fs = new MemoryFileSystem({ files: { "/out/": "", "/nas/link": { link: "/out" }, "/nas/file": "x" } });
  for (const relative of ["link/x", "file/x"]) {
    const made = makeFolders(fs, { root: "/nas", relative }, { durability: "flushed" });
    await assert.rejects(made, { code: "copy/conflict" });
  }
  for (const relative of ["../x", "/x", "a//b"]) {
    const made = makeFolders(fs, { root: "/nas", relative }, { durability: "cached" });
    await assert.rejects(made, { code: "path/escapes" });
  }
  assert.deepEqual(fs.tree("/out"), {});
});

Deno.test("makeFolders() says why a folder cannot be made", async () => {
  const fs = new MemoryFileSystem({ files: { "/nas/": "" } });
  fs.fault = ({ operation }) => {
    if (operation === "mkdir") throw systemError("EROFS");
  };
  const made = makeFolders(fs, { root: "/nas", relative: "a" }, { durability: "cached" });
  await assert.rejects(made, { code: "io/read-only", message: /Cannot make the folder "\/nas\/a"/ });
});
