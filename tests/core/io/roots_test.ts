import assert from "node:assert/strict";
import { join } from "node:path";
import { Disk } from "../../../core/io/disk.ts";
import type { FileStat, FileSystem } from "../../../core/io/file_system.ts";
import { findNesting } from "../../../core/io/roots.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";
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

/** Folders of Windows by their final path; `drives` are mapped to shares. */
function windowsFolders(folders: Record<string, Partial<FileStat>>, drives: Record<string, string> = {}): FileSystem {
  const real = (path: string) => {
    const drive = path.slice(0, 2);
    return drives[drive] === undefined ? path : drives[drive] + path.slice(2);
  };
  const some: Partial<FileSystem> = {
    lstat(path) {
      const found = folders[real(path)];
      const blank = { kind: "directory", size: 0, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0, dev: 1, ino: null } as const;
      return Promise.resolve(found && { ...blank, ...found });
    },
    realPath: (path) => Promise.resolve(real(path)),
  };
  return some as FileSystem;
}

async function windowsNestings(fs: FileSystem, a: string, b: string): Promise<string[]> {
  const found = await findNesting(fs, [{ id: "a", path: a }, { id: "b", path: b }], "windows");
  return found.map(({ outer, inner, same }) => `${inner.id} ${same ? "is" : "in"} ${outer.id}`);
}

Deno.test("S2 findNesting() sees a mapped drive and its share, and names in other case, as one", async () => {
  const share = "\\\\nas\\lab";
  const fs = windowsFolders({ [`${share}\\`]: {}, [`${share}\\runs`]: {} }, { "Z:": share });
  assert.deepEqual(await windowsNestings(fs, "Z:\\runs", `${share}\\runs`), ["b is a"]);
  assert.deepEqual(await windowsNestings(fs, `${share}\\runs`, "Z:\\runs\\new"), ["b in a"]);
  assert.deepEqual(await windowsNestings(fs, "Z:\\runs\\New\\x", `${share}\\runs\\new`), ["a in b"]);
});

Deno.test("S2 findNesting() takes folders whose ids are missing, or rounded to one, for two", async () => {
  const rounded = 777 * 2 ** 48;
  for (const ino of [null, rounded]) {
    const fs = windowsFolders({
      "D:\\": { ino: 5 },
      "D:\\a": { ino, birthtimeMs: 1 },
      "D:\\b": { ino, birthtimeMs: 2 },
    });
    assert.deepEqual(await windowsNestings(fs, "D:\\a", "D:\\b"), []);
    assert.deepEqual(await windowsNestings(fs, "D:\\a", "D:\\b\\new"), []);
  }
});

Deno.test("S2 findNesting() sees one folder under two names by a rounded id and its birth time", async () => {
  const one = { ino: 777 * 2 ** 48, birthtimeMs: 1 };
  const fs = windowsFolders({ "D:\\": { ino: 5 }, "D:\\a": one, "E:\\": { ino: 5, dev: 2 }, "E:\\b": one });
  assert.deepEqual(await windowsNestings(fs, "D:\\a", "E:\\b"), ["b is a"]);
});
