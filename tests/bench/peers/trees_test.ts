import assert from "node:assert/strict";
import { join } from "@std/path";
import { makeTree, parseShape, treePath } from "../../../bench/peers/trees.ts";
import { tempDir } from "../../kit/temp.ts";

Deno.test("parseShape() reads a count and a size", () => {
  assert.deepEqual(parseShape("4x1GiB"), { files: 4, size: 2 ** 30 });
  assert.deepEqual(parseShape("20000x16KiB"), { files: 20_000, size: 16_384 });
  assert.deepEqual(parseShape("3x100"), { files: 3, size: 100 });
  assert.throws(() => parseShape("4GB"), /Cannot read the shape "4GB"/);
});

Deno.test("makeTree() makes old files of the size asked for, no two alike", async () => {
  await using dir = await tempDir();
  const shape = { files: 1002, size: 40 };
  await makeTree(join(dir.path, "t"), shape, 86_400_000);
  const seen = new Set<string>();
  for (let at = 0; at < shape.files; at++) {
    const path = join(dir.path, "t", ...treePath(shape, at).split("/"));
    const stat = await Deno.lstat(path);
    assert.equal(stat.size, 40);
    assert.ok(Date.now() - stat.mtime!.getTime() > 86_000_000);
    seen.add((await Deno.readFile(path)).join(" "));
  }
  assert.equal(seen.size, 1002);
  assert.equal(treePath(shape, 1001), "d0001/f0001001.dat");
  assert.equal(treePath({ files: 4, size: 1 }, 3), "f0000003.dat");
});
