import assert from "node:assert/strict";
import { join } from "@std/path";
import type { FileSystem } from "../../../core/io/file_system.ts";
import { PLACE_MARKER_NAME } from "../../../core/io/names.ts";
import { checkPlace, confirmPlace, createPlaceMarker, readPlaceMarker } from "../../../core/safety/place_marker.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

/** `renameNew` as a disk without that call answers. */
const fs: FileSystem = { ...plainDisk(), renameNew: () => Promise.resolve(undefined) };
const marker = (root: string) => join(root, PLACE_MARKER_NAME);

Deno.test("S1 createPlaceMarker() marks a root once and finds the same marker again", async () => {
  await using dir = await tempDir();
  const first = await createPlaceMarker(fs, dir.path);
  assert.equal(first.created, true);
  assert.match(first.uuid, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await createPlaceMarker(fs, dir.path), { uuid: first.uuid, created: false });
  assert.equal(await readPlaceMarker(fs, dir.path), first.uuid);
  assert.equal(await Deno.readTextFile(marker(dir.path)), `${first.uuid}\n`);
  assert.deepEqual((await fs.readDir(dir.path)).map(({ name }) => name), [PLACE_MARKER_NAME]);
});

Deno.test("S1 of many that mark a root at once all get the one marker", async () => {
  await using dir = await tempDir();
  const made = await Promise.all(Array.from({ length: 10 }, () => createPlaceMarker(fs, dir.path)));
  assert.equal(made.filter(({ created }) => created).length, 1);
  assert.equal(new Set(made.map(({ uuid }) => uuid)).size, 1);
  assert.deepEqual((await fs.readDir(dir.path)).map(({ name }) => name), [PLACE_MARKER_NAME]);
});

Deno.test("S1 createPlaceMarker() works on a share without hard links", async () => {
  await using dir = await tempDir();
  const share: FileSystem = {
    ...fs,
    link: () => Promise.reject(Object.assign(new Error("not supported"), { code: "ENOTSUP" })),
  };
  const first = await createPlaceMarker(share, dir.path);
  assert.deepEqual(await createPlaceMarker(share, dir.path), { uuid: first.uuid, created: false });
  assert.deepEqual((await fs.readDir(dir.path)).map(({ name }) => name), [PLACE_MARKER_NAME]);
});

Deno.test("S1 a marker that a loss of power left empty is made anew, another file under its name is not", async () => {
  for (const text of ["", "\0\0\0"]) {
    await using dir = await tempDir();
    await Deno.writeTextFile(marker(dir.path), text);
    assert.equal(await readPlaceMarker(fs, dir.path), undefined);
    assert.equal((await createPlaceMarker(fs, dir.path)).created, true);
  }
  for (const text of ["hello", "0b8e6f0a-0000-4000-8000", "x".repeat(5000)]) {
    await using dir = await tempDir();
    await Deno.writeTextFile(marker(dir.path), text);
    for (const act of [createPlaceMarker, readPlaceMarker, checkPlace]) {
      await assert.rejects(act(fs, dir.path), { code: "place/marker-invalid", stopsRun: 2 });
    }
    assert.equal(await Deno.readTextFile(marker(dir.path)), text);
  }
});

Deno.test("S1 readPlaceMarker() takes what an editor made of it, and never follows a link", async () => {
  await using dir = await tempDir();
  const uuid = "0b8e6f0a-0000-4000-8000-00000000000a";
  await Deno.writeTextFile(marker(dir.path), ` ${uuid.toUpperCase()}\r\n`);
  assert.equal(await readPlaceMarker(fs, dir.path), uuid);
  await using other = await tempDir();
  await Deno.symlink(marker(dir.path), marker(other.path));
  await assert.rejects(readPlaceMarker(fs, other.path), { code: "place/marker-invalid" });
});

Deno.test("S1 a marker is its UUID; a further line that somebody wrote is left to them", async () => {
  await using dir = await tempDir();
  const { uuid } = await createPlaceMarker(fs, dir.path);
  assert.equal(await Deno.readTextFile(marker(dir.path)), `${uuid}\n`);
  const noted = `${uuid}\r\nbought 2024, room 7\r\n`;
  await Deno.writeTextFile(marker(dir.path), noted);
  assert.deepEqual(await createPlaceMarker(fs, dir.path), { uuid, created: false });
  assert.equal((await checkPlace(fs, dir.path)).uuid, uuid);
  assert.equal(await Deno.readTextFile(marker(dir.path)), noted);
  assert.deepEqual((await fs.readDir(dir.path)).map(({ name }) => name), [PLACE_MARKER_NAME]);
});

Deno.test("S1 checkPlace() refuses an unmarked or absent root with 2 and names the command", async () => {
  await using dir = await tempDir();
  for (const root of [dir.path, join(dir.path, "unmounted")]) {
    await assert.rejects(checkPlace(fs, root), (error: Error & { [key: string]: unknown }) => {
      assert.deepEqual([error.code, error.stopsRun], ["place/not-marked", 2]);
      assert.match(String(error.hint), /labferry install places/);
      return true;
    });
  }
});

Deno.test("S1 checkPlace() says of an empty marker that it is empty, and what to do, which then mends it", async () => {
  for (const text of ["", "\0\0\0"]) {
    await using dir = await tempDir();
    await Deno.writeTextFile(marker(dir.path), text);
    await assert.rejects(checkPlace(fs, dir.path), (error: Error & { [key: string]: unknown }) => {
      assert.deepEqual([error.code, error.stopsRun], ["place/not-marked", 2]);
      assert.match(error.message, /its \.labferry-place is empty, wanted a UUID$/);
      assert.match(String(error.hint), /Make sure that this is the right folder, then run: labferry install places/);
      return true;
    });
    const { uuid } = await createPlaceMarker(fs, dir.path);
    assert.equal((await checkPlace(fs, dir.path)).uuid, uuid);
  }
});

Deno.test("S1 confirmPlace() notices a marker that vanished, changed or lies on another device, with 1", async () => {
  await using dir = await tempDir();
  await createPlaceMarker(fs, dir.path);
  const place = await checkPlace(fs, dir.path);
  await confirmPlace(fs, place);
  const changed = { code: "place/changed", stopsRun: 1 };
  for (const dev of [null, (place.dev ?? 0) + 1]) await assert.rejects(confirmPlace(fs, { ...place, dev }), changed);
  const other = { ...place, uuid: "0b8e6f0a-0000-4000-8000-00000000000a" };
  await assert.rejects(confirmPlace(fs, other), changed);
  await Deno.writeTextFile(marker(dir.path), "damaged");
  await assert.rejects(confirmPlace(fs, place), changed);
  await Deno.remove(marker(dir.path));
  await assert.rejects(confirmPlace(fs, place), changed);
  await Deno.remove(dir.path, { recursive: true });
  await assert.rejects(confirmPlace(fs, place), changed);
  await Deno.mkdir(dir.path);
});
