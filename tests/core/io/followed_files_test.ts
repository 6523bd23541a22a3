import assert from "node:assert/strict";
import { join } from "@std/path";
import { Disk } from "../../../core/io/disk.ts";
import { followFiles } from "../../../core/io/followed_files.ts";
import { tempDir } from "../../kit/temp.ts";

Deno.test("followFiles() knows a file again by its identity, under whatever name, while it is written", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const files = followFiles(fs);
  const [path, old] = [join(dir.path, "Fusion.log"), join(dir.path, "Fusion.1.log")];
  assert.equal(await files.open(path), undefined);
  assert.equal(await files.identity(path), undefined);
  assert.equal(await files.find(path, "1:2"), undefined);
  await Deno.writeTextFile(path, "one");
  await using file = await files.open(path);
  assert.ok(file);
  await Deno.rename(path, old);
  await Deno.writeTextFile(old, " two", { append: true });
  assert.equal(await file.size(), 7);
  const buffer = new Uint8Array(10);
  assert.equal(await file.read(2, buffer), 5);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 5)), "e two");
  await Deno.writeTextFile(path, "new");
  assert.notEqual(await files.identity(path), file.identity);
  await using found = await files.find(path, file.identity);
  assert.equal(found?.identity, file.identity);
});

Deno.test("followFiles() refuses what is no file", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  await assert.rejects(followFiles(fs).open(dir.path), /Cannot follow .* it is a directory, wanted a file/);
});
