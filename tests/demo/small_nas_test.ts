import assert from "node:assert/strict";
import { join } from "@std/path";
import { SmallNas } from "../../demo/small_nas.ts";
import { tempDir } from "../kit/temp.ts";

Deno.test("SmallNas.space() is the made-up size less what lies in the folder, at and below it", async () => {
  await using dir = await tempDir();
  const root = join(dir.path, "nas");
  await Deno.mkdir(join(root, "study", "empty"), { recursive: true });
  await Deno.writeFile(join(root, "a.bin"), new Uint8Array(300));
  await Deno.writeFile(join(root, "study", "b.bin"), new Uint8Array(500));
  await using fs = new SmallNas({ root, total: 1000 });
  assert.deepEqual(await fs.space(root), { free: 200, total: 1000 });
  assert.deepEqual(await fs.space(join(root, "study")), { free: 200, total: 1000 });
  await fs.removeFile(join(root, "study", "b.bin"));
  assert.deepEqual(await fs.space(root), { free: 700, total: 1000 });
  await Deno.writeFile(join(root, "c.bin"), new Uint8Array(2000));
  assert.deepEqual(await fs.space(root), { free: 0, total: 1000 });
});

Deno.test("SmallNas.space() of any other folder is that of the disk", async () => {
  await using dir = await tempDir();
  const root = join(dir.path, "nas");
  await Deno.mkdir(root);
  await Deno.mkdir(join(dir.path, "nas2"));
  await using fs = new SmallNas({ root, total: 1000 });
  for (const path of [dir.path, join(dir.path, "nas2")]) assert.ok((await fs.space(path)).total > 1000, path);
});
