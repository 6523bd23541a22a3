import assert from "node:assert/strict";
import type { Evidence } from "../../../core/evidence.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import type { ItemScope } from "../../../core/places/place.ts";
import { forgetChanged } from "../../../core/safety/stale.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";
import { memoryLog } from "../../../testing/doubles.ts";

Deno.test("forgetChanged() forgets page by page, at every place, only what is gone or changed", async () => {
  const ROOT = "/instrument/study1";
  const fs = new MemoryFileSystem({ mounts: { "/instrument": {} } });
  const paths = Array.from({ length: 1200 }, (_, n) => `a/${n + 10_000}`);
  fs.seed(Object.fromEntries([...paths, "z/kept", "z/touched"].map((path) => [`${ROOT}/${path}`, "x"])));
  await using journal = await openMemoryJournal();
  const at = "2026-01-02T03:04:05.000Z";
  const shown = { size: 1, sha256: "0".repeat(64), level: "proved", guarantee: "read-back", at } as const;
  for (const place of ["source", "nas"]) {
    const rows: Evidence[] = [];
    for (const path of [...paths, "gone", "z/kept", "z/touched"]) {
      const stat = await fs.lstat(`${ROOT}/${path}`);
      const identity = stat && path !== "z/kept" ? { ...stat, mtimeMs: 1 } : stat;
      rows.push({ ...shown, path, place, placeUuid: place, uri: `/${place}/${path}`, identity });
    }
    await journal.evidence.put("i", rows);
  }
  const scope: ItemScope = {
    item: { id: "i", name: "study1", kind: "tree", root: ROOT, data: {} },
    evidence: journal.evidence,
    signal: new AbortController().signal,
    log: memoryLog(),
    force: false,
    onBytes: () => {},
    recordedSidecar: null,
  };
  let pages = 0;
  const { remove } = journal.evidence;
  journal.evidence.remove = (incarnation, place, some) => {
    pages++;
    assert.ok((some?.length ?? Infinity) <= 500);
    return remove.call(journal.evidence, incarnation, place, some);
  };
  let pagesBeforeLast: number | undefined;
  fs.fault = ({ operation, path }) => {
    if (operation === "readDir" && path === `${ROOT}/z`) pagesBeforeLast ??= pages;
  };
  assert.equal(await forgetChanged(fs, scope), 1202);
  assert.equal(pagesBeforeLast, 4, "two pages are gone from both places before the last folder is looked into");
  for (const place of ["source", "nas"]) {
    const left: string[] = [];
    for await (const row of journal.evidence.list("i", place)) left.push(row.path);
    assert.deepEqual(left, ["z/kept"]);
  }
});
