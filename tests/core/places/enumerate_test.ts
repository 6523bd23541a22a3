import assert from "node:assert/strict";
import type { Evidence } from "../../../core/evidence.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { assertEnumerates } from "../../../core/places/enumerate.ts";
import type { ItemScope } from "../../../core/places/place.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";
import { memoryLog } from "../../../testing/doubles.ts";

const ROOT = "/nas/study1";

/** Files at a place with evidence of each; `linked` are further names of the first. */
async function place(names: string[], linked: string[] = []) {
  const fs = new MemoryFileSystem({ mounts: { "/nas": {} } });
  fs.seed(Object.fromEntries(names.map((name) => [`${ROOT}/${name}`, "x"])));
  for (const name of linked) fs.disk.link(`${ROOT}/${names[0]}`, `${ROOT}/${name}`);
  const journal = await openMemoryJournal();
  const rows: Evidence[] = [];
  for (const path of [...names, ...linked]) {
    const identity = (await fs.lstat(`${ROOT}/${path}`))!;
    const at = "2026-01-02T03:04:05.000Z";
    const shown = { sha256: "0".repeat(64), level: "proved", guarantee: "read-back", at, identity } as const;
    rows.push({ path, size: 1, place: "nas", placeUuid: "u", uri: `${ROOT}/${path}`, ...shown });
  }
  await journal.evidence.put("i", rows);
  const scope: ItemScope = {
    item: { id: "i", name: "study1", kind: "tree", root: "/source/study1", data: {} },
    evidence: journal.evidence,
    signal: new AbortController().signal,
    log: memoryLog(),
    force: false,
    onBytes: () => {},
    recordedSidecar: null,
  };
  return { fs, scope, [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose]() };
}

const NAMES = Array.from({ length: 9 }, (_, n) => `f${n}`);

Deno.test("S14 assertEnumerates() finds files that share one, however few inodes it holds at a time", async () => {
  for (const inodesAtOnce of [1, 2, 5, 100]) {
    await using apart = await place(NAMES);
    await assertEnumerates(apart.fs, apart.scope, { place: "nas", root: ROOT, inodesAtOnce });
    for (const first of NAMES.slice(0, 4)) {
      const names = [first, ...NAMES.filter((name) => name !== first)];
      await using shared = await place(names, ["z1", "z2"]);
      await assert.rejects(
        assertEnumerates(shared.fs, shared.scope, { place: "nas", root: ROOT, inodesAtOnce }),
        { code: "verify/missing", message: /2 sharing one file with another name \(z1, z2\)$/ },
        `${first} ${inodesAtOnce}`,
      );
    }
  }
});

Deno.test("S14 assertEnumerates() names what is missing, and tells of what belongs to no evidence", async () => {
  await using there = await place(NAMES);
  there.fs.disk.removeFile(`${ROOT}/f3`);
  there.fs.seed({ [`${ROOT}/stray`]: "x" });
  await assert.rejects(
    assertEnumerates(there.fs, there.scope, { place: "nas", root: ROOT, inodesAtOnce: 2 }),
    { code: "verify/missing", message: /1 missing \(f3\)$/ },
  );
});
