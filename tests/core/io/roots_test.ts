import assert from "node:assert/strict";
import { join } from "node:path";
import { Disk } from "../../../core/io/disk.ts";
import { findNesting } from "../../../core/io/roots.ts";
import { MemoryFileSystem } from "../../kit/memory_file_system.ts";
import { tempDir } from "../../kit/temp.ts";

async function nestings(fs: MemoryFileSystem, roots: Record<string, string>): Promise<string[]> {
  const found = await findNesting(fs, Object.entries(roots).map(([id, path]) => ({ id, path })), "posix");
  return found.map(({ outer, inner, same }) => `${inner.id} ${same ? "is" : "in"} ${outer.id}`).sort();
}

Deno.test("S2 findNesting() finds one root in another by spelling, by link, and none in neighbours", async () => {
  const fs = new MemoryFileSystem({
    files: { "/data/in/": "", "/data/out/": "", "/data/in/state/": "", "/alias": { link: "/data/in" } },
  });
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/data/out" }), []);
  assert.deepEqual(await nestings(fs, { source: "/data/in", state: "/data/in/state" }), ["state in source"]);
  assert.deepEqual(await nestings(fs, { state: "/data/in/state", source: "/data/in" }), ["state in source"]);
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/alias" }), ["nas is source"]);
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/alias/state" }), ["nas in source"]);
});

Deno.test("S2 findNesting() judges roots that are not made yet by the nearest folder that is", async () => {
  const fs = new MemoryFileSystem({ files: { "/data/in/": "", "/alias": { link: "/data" } } });
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/data/new" }), []);
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/data/in/new/deep" }), ["nas in source"]);
  assert.deepEqual(await nestings(fs, { a: "/data/new/x", b: "/alias/new" }), ["a in b"]);
  assert.deepEqual(await nestings(fs, { a: "/data/new", b: "/alias/new" }), ["b is a"]);
});

Deno.test("S2 findNesting() keeps devices apart and sees a mount inside a root", async () => {
  const fs = new MemoryFileSystem({ mounts: { "/mnt/nas": {}, "/data/in/mounted": {} }, files: { "/data/in/": "" } });
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/mnt/nas" }), []);
  assert.deepEqual(await nestings(fs, { source: "/data/in", nas: "/data/in/mounted" }), ["nas in source"]);
});

Deno.test("S2 findNesting() sees one folder mounted under two names by its device and inode", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const real = await fs.lstat(dir.path);
  // Stands for a bind mount: another path, whose folder has the identity of the first.
  const twice = Object.create(fs, {
    lstat: { value: async (path: string) => path === join(dir.path, "b") ? real : await fs.lstat(path) },
  });
  await Deno.mkdir(join(dir.path, "b"));
  const roots = [{ id: "a", path: dir.path }, { id: "b", path: join(dir.path, "b") }];
  assert.equal((await findNesting(twice, roots)).length, 1);
});
