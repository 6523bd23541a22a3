import assert from "node:assert/strict";
import { join } from "node:path";
import { Disk } from "../../../core/io/disk.ts";
import { flushStanding } from "../../../core/io/flush_standing.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";

const signal = new AbortController().signal;

Deno.test("S7 S22 flushStanding() flushes files and every folder above them, the root included", async () => {
  const fs = new MemoryFileSystem({ files: { "/nas/": "" } });
  for (const folder of ["/nas/s", "/nas/s/a", "/nas/s/a/b"]) await fs.mkdir(folder);
  for (const path of ["/nas/s/x", "/nas/s/a/b/y"]) {
    await using file = await fs.createNew(path);
    await file.write(new TextEncoder().encode(path));
  }
  await flushStanding(fs, { root: "/nas", paths: ["s/x", "s/a/b/y"] }, signal);
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/s/x": "/nas/s/x", "/nas/s/a/b/y": "/nas/s/a/b/y" });
});

Deno.test("flushStanding() works on a disk, and names what it could not flush", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  await Deno.mkdir(join(dir.path, "s"));
  await Deno.writeTextFile(join(dir.path, "s", "x"), "x");
  await flushStanding(fs, { root: dir.path, paths: ["s/x"] }, signal);
  await assert.rejects(
    flushStanding(fs, { root: dir.path, paths: ["s/absent"] }, signal),
    { code: "io/gone", message: `Cannot flush "${join(dir.path, "s", "absent")}": nothing is there (ENOENT)` },
  );
});
