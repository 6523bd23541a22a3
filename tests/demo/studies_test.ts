import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import type { ListedEntry } from "../../core/contract.ts";
import { entryBytes, makeStudies, planAcquisitions, planStudies } from "../../demo/studies.ts";
import { phenocycler } from "../../plugins/standards/phenocycler.ts";
import { tempDir } from "../kit/temp.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const OPTIONS = { now: NOW, scale: 1 / 64 };

interface Seen extends ListedEntry {
  size: number;
  mtimeMs: number;
}

async function list(root: string, below = ""): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const entry of Deno.readDir(join(root, ...below.split("/")))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    const stat = await Deno.lstat(join(root, ...path.split("/")));
    const kind = stat.isDirectory ? "directory" : "file";
    seen.push({ path, kind, size: stat.isDirectory ? 0 : stat.size, mtimeMs: stat.mtime!.getTime() });
    if (stat.isDirectory) seen.push(...await list(root, path));
  }
  return seen;
}

Deno.test("makeStudies() makes what it says: files, folders, bytes and times", async () => {
  await using dir = await tempDir();
  const made = await makeStudies(dir.path, OPTIONS);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map((entry) => entry.name).sort(), made.map((study) => study.name));
  for (const study of made) {
    const seen = await list(study.path);
    const files = seen.filter((entry) => entry.kind === "file");
    assert.equal(files.length, study.files, study.name);
    assert.equal(seen.length - files.length, study.directories, study.name);
    assert.equal(files.reduce((sum, file) => sum + file.size, 0), study.bytes, study.name);
    assert.equal(Math.max(...seen.map((entry) => entry.mtimeMs)), study.mtimeMs, study.name);
  }
});

Deno.test("makeStudies() makes studies that the naming standard judges as expected", async () => {
  await using dir = await tempDir();
  for (const study of await makeStudies(dir.path, OPTIONS)) {
    const findings = phenocycler.check(study.name, await list(study.path));
    const broken = [...new Set(findings.map((finding) => finding.rule))].sort();
    assert.deepEqual(broken, study.breaks, JSON.stringify(findings));
    assert.equal(study.expect === "refused", broken.length > 0, study.name);
  }
});

Deno.test("makeStudies() leaves only the study that is still being written newer than 14 days", async () => {
  await using dir = await tempDir();
  for (const study of await makeStudies(dir.path, OPTIONS)) {
    const days = (NOW - study.mtimeMs) / 86_400_000;
    assert.equal(days < 14, study.expect === "left-alone", study.name);
  }
});

Deno.test("makeStudies() covers what file systems are asked to hold", async () => {
  await using dir = await tempDir();
  const made = await makeStudies(dir.path, OPTIONS);
  const seen = (await Promise.all(made.map((study) => list(study.path)))).flat();
  const files = seen.filter((entry) => entry.kind === "file");
  assert.ok(files.some((file) => file.size === 0), "an empty file");
  assert.ok(files.some((file) => file.path.includes(" ")), "a name with a space");
  assert.ok(files.some((file) => /[^ -~]/.test(file.path)), "a name beyond ASCII");
  assert.ok(files.some((file) => file.path.split("/").length > 8), "a deep path");
  const parents = new Set(seen.map((entry) => entry.path.slice(0, entry.path.lastIndexOf("/"))));
  assert.ok(seen.some((entry) => entry.kind === "directory" && !parents.has(entry.path)), "an empty folder");
  // What Windows cannot hold would stop the demo there.
  for (const entry of seen) assert.doesNotMatch(entry.path, /[<>:"\\|?*\x00-\x1f]|[. ](\/|$)/);
  assert.equal(new Set(seen.map((entry) => entry.path.normalize("NFC"))).size, new Set(seen.map((e) => e.path)).size);
});

Deno.test("makeStudies() writes the same bytes every time", async () => {
  const hashes: string[][] = [];
  for (let round = 0; round < 2; round++) {
    await using dir = await tempDir();
    await makeStudies(dir.path, OPTIONS);
    const files = (await list(dir.path)).filter((entry) => entry.kind === "file").map((entry) => entry.path).sort();
    hashes.push(files.map((file) => {
      const bytes = Deno.readFileSync(join(dir.path, ...file.split("/")));
      return `${createHash("sha256").update(bytes).digest("hex")} ${file}`;
    }));
  }
  assert.ok(hashes[0].length > 100);
  assert.deepEqual(hashes[0], hashes[1]);
});

Deno.test("makeStudies() stops when its signal is aborted, and refuses a study that is there", async () => {
  await using dir = await tempDir();
  await assert.rejects(
    () => makeStudies(dir.path, { ...OPTIONS, signal: AbortSignal.abort(new Error("stopped")) }),
    /stopped/,
  );
  await assert.rejects(() => makeStudies(dir.path, OPTIONS), Deno.errors.AlreadyExists);
});

Deno.test("planStudies() plans a few MiB of true images by default", () => {
  const bytes = planStudies({ now: NOW }).flatMap((study) => study.entries).reduce(
    (sum, entry) => sum + entryBytes(entry),
    0,
  );
  assert.ok(bytes > 12 * 2 ** 20 && bytes < 40 * 2 ** 20, `${bytes} bytes`);
});

Deno.test("planAcquisitions() are further studies that may be archived", async () => {
  await using dir = await tempDir();
  await makeStudies(dir.path, OPTIONS);
  const made = await makeStudies(dir.path, { ...OPTIONS, plan: planAcquisitions });
  assert.equal(made.length, 2);
  for (const study of made) {
    assert.deepEqual(phenocycler.check(study.name, await list(study.path)), []);
    assert.equal(study.expect, "archived");
    assert.ok(NOW - study.mtimeMs > 14 * 86_400_000, study.name);
  }
});
