import assert from "node:assert/strict";
import { join } from "@std/path";
import { exists, removeFile, writeFile } from "../../cli/write_file.ts";
import { PipelineError } from "../../core/errors.ts";
import { tempDir } from "../kit/temp.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("writeFile() makes folders, keeps or replaces what stands, and leaves nothing beside it", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "a", "b", "c.txt");
  assert.equal(await writeFile(path, bytes("one"), { mode: 0o644, standing: "keep" }), true);
  assert.equal(await writeFile(path, bytes("two"), { mode: 0o644, standing: "keep" }), false);
  assert.equal(await Deno.readTextFile(path), "one");
  await Deno.writeTextFile(join(dir.path, "a", "b", ".c.txt.labferry-new"), "left by a crash");
  assert.equal(await writeFile(path, bytes("two"), { mode: 0o644, standing: "replace" }), true);
  assert.equal(await Deno.readTextFile(path), "two");
  assert.deepEqual([...Deno.readDirSync(join(dir.path, "a", "b"))].map((entry) => entry.name), ["c.txt"]);
});

Deno.test("writeFile() names the path it cannot write", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(join(dir.path, "folder", "full"), { recursive: true });
  const path = join(dir.path, "folder");
  await assert.rejects(
    writeFile(path, bytes(""), { mode: 0o644, standing: "replace" }),
    (error) => error instanceof PipelineError && error.message.includes(path),
  );
});

Deno.test("removeFile() and exists() take an absent file for what it is", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "x");
  assert.equal(await removeFile(path), false);
  assert.equal(await exists(path), false);
  await Deno.writeTextFile(path, "");
  assert.equal(await exists(path), true);
  assert.equal(await removeFile(path), true);
});
