import assert from "node:assert/strict";
import { join } from "@std/path";
import { Disk } from "../../../core/io/disk.ts";
import { followFiles, isRotated } from "../../../core/io/followed_files.ts";
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
  await assert.rejects(followFiles(fs).open(dir.path), /Cannot follow .* it is a folder, wanted a file/);
});

Deno.test("followFiles().after() finds the next of several rotated files, and no copy made before", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const files = followFiles(fs);
  const at = (name: string) => join(dir.path, name);
  const make = async (name: string, seconds: number) => {
    await Deno.writeTextFile(at(name), name);
    await Deno.utime(at(name), 1_800_000_000 + seconds, 1_800_000_000 + seconds);
  };
  await make("Fusion.log.3", 30);
  await using first = await files.open(at("Fusion.log.3"));
  assert.ok(first);
  await make("Fusion.log.4", 20); // a copy of what was there before: nothing in it is later
  await make("FusionDebug.log", 35);
  // In the order in which a log is rotated: the later file is begun later.
  await make("Fusion.log.2", 40);
  await make("Fusion.log.1", 50);
  await make("Fusion.log", 60);
  await using second = await files.after(at("Fusion.log"), first);
  assert.equal(second?.identity, await files.identity(at("Fusion.log.2")));
  await using third = await files.after(at("Fusion.log"), second!);
  assert.equal(third?.identity, await files.identity(at("Fusion.log.1")));
  assert.equal(await files.after(at("Fusion.log"), third!), undefined);
});

Deno.test("isRotated() knows the names that rotations give, and no other log", () => {
  for (
    const name of ["Fusion.log.1", "Fusion.2.log", "Fusion-20260102.log", "fusion.LOG.old", "Fusion_2026-01-02T03.log"]
  ) {
    assert.ok(isRotated(name, "Fusion.log"), name);
  }
  for (const name of ["FusionDebug.log", "Fusion.log.1.gz", "Fusion.txt", "Other.log", "Fusion.log.swp"]) {
    assert.ok(!isRotated(name, "Fusion.log"), name);
  }
  assert.ok(isRotated("messages.1", "messages"));
  assert.ok(!isRotated("messages.gz", "messages"));
});
