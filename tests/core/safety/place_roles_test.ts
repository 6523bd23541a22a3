import assert from "node:assert/strict";
import { join } from "@std/path";
import type { FileSystem } from "../../../core/io/file_system.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { createPlaceMarker } from "../../../core/safety/place_marker.ts";
import { assertRoles, rememberRoles, roleConflict } from "../../../core/safety/place_roles.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

/** `renameNew` as a disk without that call answers. */
const fs: FileSystem = { ...plainDisk(), renameNew: () => Promise.resolve(undefined) };

Deno.test("S1 roleConflict() goes by the role a marker was first known in", async () => {
  await using dir = await tempDir();
  await using journal = await openMemoryJournal();
  const { cursors } = journal;
  const [place, source] = (["place", "source"] as const).map((role) => ({ id: role, path: dir.path, role }));
  assert.equal(await roleConflict({ fs, cursors }, source), undefined, "no marker: whoever opens it refuses");
  await createPlaceMarker(fs, dir.path);
  assert.equal(await roleConflict({ fs, cursors }, source), undefined, "nobody knows");
  await rememberRoles({ fs, cursors }, [place]);
  await rememberRoles({ fs, cursors }, [source]);
  assert.equal(await roleConflict({ fs, cursors }, place), undefined, "the first role stays");
  const byMemory = await roleConflict({ fs, cursors }, source);
  assert.match(
    byMemory?.message ?? "",
    /as source, a source .*its mark [0-9a-f-]{36} is known as the place .* place "/,
  );
});

Deno.test("S1 assertRoles() names every root that is known in another role", async () => {
  await using dir = await tempDir();
  await using journal = await openMemoryJournal();
  const [a, b] = ["a", "b"].map((name) => join(dir.path, name));
  for (const path of [a, b]) await Deno.mkdir(path);
  await createPlaceMarker(fs, a);
  await createPlaceMarker(fs, b);
  const services = { fs, cursors: journal.cursors };
  const right = [{ id: "source", path: a, role: "source" }, { id: "truenas", path: b, role: "place" }] as const;
  await rememberRoles(services, right);
  await assertRoles(services, right);
  const exchanged = [{ id: "source", path: b, role: "source" }, { id: "truenas", path: a, role: "place" }] as const;
  await assert.rejects(assertRoles(services, exchanged), (error: Error & { [key: string]: unknown }) => {
    assert.deepEqual([error.code, error.stopsRun], ["place/other-role", 2]);
    assert.ok(error.message.includes(`"${a}"`) && error.message.includes(`"${b}"`), error.message);
    assert.match(String(error.hint), /exchanged.*labferry install places --replaced/);
    return true;
  });
});
