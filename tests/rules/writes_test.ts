import assert from "node:assert/strict";
import { systemError } from "../../testing/memory_file_system.ts";
import type { FaultHook } from "../../testing/memory_file_system.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { BACKUP, NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  rewrite,
  runAndAfter,
  worldWith,
} from "../kit/rules.ts";

/** Anything of the study under a final name at the NAS that is not the study's. */
function strangers(world: World, files = FILES): string[] {
  const copied = world.files(AT_NAS);
  return Object.keys(copied).filter((path) =>
    path !== "_checksums.sha256" && !path.endsWith("/") && copied[path] !== files[path]
  );
}

async function runWithFault(world: World, fault: FaultHook) {
  world.fs.fault = fault;
  try {
    return await world.run();
  } finally {
    world.fs.fault = undefined;
  }
}

Deno.test("S7 a byte that flips at the NAS between copy and verify: failed_truenas, exit 1, the study stays", async () => {
  for (const large of [false, true]) {
    const files = large ? { "big.qptiff": patternBytes(3 * 2 ** 20, 5) } : FILES;
    const [first] = Object.keys(files);
    await using world = await worldWith(files);
    const report = await runAndAfter(world, "truenas", () => {
      world.fs.fault = ({ operation, path }) => {
        if (operation === "read" && path === `${AT_NAS}/${first}`) return { flipBit: 9 };
      };
    });
    world.fs.fault = undefined;
    assertFailed(report, "verify/mismatch");
    assert.equal((await world.ledger()).get("study1")?.status, "failed_truenas");
    assert.equal((await world.ledger()).get("study1")?.truenas_verified_at, null);
    assert.equal(world.files(AT_SOURCE)[first]?.length > 0, true);
    assert.deepEqual(world.objects(), {}, "nothing after the failure ran");
  }
});

Deno.test("S7 bytes damaged at the NAS for good are never called complete, and never replaced", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "truenas", () => rewrite(world, `${AT_NAS}/a.txt`, "ALPHA"));
  assertFailed(report, "verify/mismatch");
  assertFailed(await world.run(), "copy/conflict");
  assert.equal(world.files(AT_NAS)["a.txt"], "ALPHA");
  assertSourceWhole(world);
});

Deno.test("S7 a final name is never replaced: other bytes there are a conflict, the same bytes are already there", async () => {
  for (const content of ["ALPHA", "alphabet", "alpha"]) {
    await using world = await worldWith();
    world.fs.seed({ [`${AT_NAS}/a.txt`]: content, [`${AT_NAS}/mine.txt`]: "of somebody else" });
    const report = await world.run();
    assert.equal(world.files(AT_NAS)["a.txt"], content);
    assert.equal(world.files(AT_NAS)["mine.txt"], "of somebody else");
    if (content === "alpha") assertDone(report);
    else {
      assertFailed(report, "copy/conflict");
      assertSourceWhole(world);
      assert.equal((await world.ledger()).get("study1")?.status, "failed_truenas");
    }
  }
});

Deno.test("S7 a folder or a link under a final name is a conflict, and nothing goes through the link", async () => {
  for (
    const there of [{ "a.txt/inner": "x" }, { "a.txt": { link: "/elsewhere" } }, { Scan1: { link: "/elsewhere" } }]
  ) {
    await using world = await worldWith();
    world.fs.seed({ "/elsewhere/": "" });
    for (const [path, value] of Object.entries(there)) world.fs.seed({ [`${AT_NAS}/${path}`]: value });
    assertFailed(await world.run(), "copy/conflict");
    assertSourceWhole(world);
    assert.deepEqual(world.fs.tree("/elsewhere"), {});
  }
});

Deno.test("S7 a write, flush or publication that fails leaves no final name, and the next run does it again", async () => {
  for (const operation of ["createNew", "write", "flush", "renameNew", "syncDir", "setMtime"] as const) {
    for (const code of ["ENOSPC", "EIO"]) {
      await using world = await worldWith({ ...FILES, "big.bin": patternBytes(2 * 2 ** 20, 8) });
      const report = await runWithFault(world, (call) => {
        if (call.operation === operation && call.path.startsWith(AT_NAS)) throw systemError(code, call.path);
      });
      assert.equal(report.exit_code, 1, `${operation} ${code}`);
      assert.equal((await world.ledger()).get("study1")?.status, "failed_truenas", `${operation} ${code}`);
      assertSourceWhole(world);
      const unflushed = operation === "syncDir" ? [] : strangers(world).filter((path) => path !== "big.bin");
      assert.deepEqual(unflushed, [], `${operation} ${code}`);
      assertDone(await world.run());
      assert.deepEqual(Object.keys(world.fs.tree(NAS_ROOT)).filter((path) => path.includes("tmp")), []);
    }
  }
});

Deno.test("S7 a NAS without hard links, or without a rename that never replaces, or without both, serves too", async () => {
  for (const mount of [{ links: false }, { renameNew: false }, { links: false, renameNew: false, barrier: false }]) {
    await using world = await worldWith({ ...FILES, "big.bin": patternBytes(2 * 2 ** 20, 8) });
    world.fs.disk.setMount("/nas", mount);
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.deepEqual(strangers(world).filter((path) => path !== "big.bin"), []);
  }
});

Deno.test("S7 what a place keeps in memory only is a weak proof, and alone permits no destroy", async () => {
  const folders = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "s3-upload"[^[]*/, "").replace("places = 2", "places = 1");
  const cached = folders.replace(
    `to = "\${paths.truenas_root}"`,
    `to = "\${paths.truenas_root}", durability = "cached"`,
  );
  await using world = await worldWith();
  assertFailed(await world.run({ pipeline: cached, unlinted: true }), "destroy/not-proved");
  assertSourceWhole(world);
  assert.equal((await world.ledger()).get("study1")?.places.truenas.guarantee, "cached-read");
});

/** Copies and is done: what it wrote was never flushed. */
const UNFLUSHED = BACKUP.slice(0, BACKUP.indexOf('[[stage]]\nuse  = "manifest-append"')) +
  BACKUP.slice(BACKUP.indexOf('[[stage]]\nuse  = "copy"'), BACKUP.indexOf('[[stage]]\nuse  = "checksum-sidecar"'))
    .replace(`to = "\${paths.truenas_root}"`, `to = "\${paths.truenas_root}", durability = "cached"`);

Deno.test("S7 S22 what one pipeline copied without a flush is flushed by the next before it counts", async () => {
  for (const large of [false, true]) {
    const files = large ? { "deep/er/big.qptiff": patternBytes(3 * 2 ** 20, 5) } : FILES;
    await using world = await worldWith(files);
    const before = world.files(AT_SOURCE);
    assertDone(await world.run({ pipeline: UNFLUSHED }));
    const copies = Object.keys(world.files(AT_NAS)).length;
    assert.ok(copies > 0);
    assertDone(await world.run());
    assert.equal((await world.ledger()).get("study1")?.places.truenas.guarantee, "read-back");
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    world.fs.crash();
    world.fs.restart(() => true);
    const { "_checksums.sha256": _, ...kept } = world.files(AT_NAS);
    assert.deepEqual(kept, before, "a loss of power takes nothing");
  }
});

Deno.test("S7 a copy that was never flushed is no strong proof, however it is read again", async () => {
  await using world = await worldWith();
  const { evidence } = world.journal;
  const put = evidence.put.bind(evidence);
  evidence.put = (id, rows) =>
    put(id, rows.map((row) => row.place === "truenas" && row.level === "written" ? { ...row, unflushed: true } : row));
  assertDone(await world.run());
  assert.equal((await world.ledger()).get("study1")?.places.truenas.guarantee, "cached-read");
});

Deno.test("S7 a NAS whose cache cannot be bypassed proves weakly, and the record says so", async () => {
  await using world = await worldWith();
  world.fs.disk.setMount("/nas", { medium: "cached" });
  assertDone(await world.run());
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.places.truenas.guarantee, "cached-read");
  const said = world.log.lines.filter(({ level, message }) => level === "warn" && /cached-read only/.test(message));
  assert.equal(said.length, 1, "once a run");
  assert.equal(record?.places.s3.guarantee, "server-checksum");
  assert.deepEqual(world.files(SOURCE_ROOT), {}, "it counts beside a strong one");
});

Deno.test("S7 a copy that can only be read again through a cache at the delete counts weakly from then on", async () => {
  const folders = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "s3-upload"[^[]*/, "").replace("places = 2", "places = 1");
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => {
    world.fs.disk.setMount("/nas", { medium: "cached" });
    for (const path of Object.keys(FILES)) world.fs.disk.setMtime(`${AT_NAS}/${path}`, world.clock.now());
  }, { pipeline: folders });
  assertFailed(report, "destroy/not-proved");
  assertSourceWhole(world);
});

Deno.test("S7 a sidecar that says something else is kept, at the NAS and in the bucket", async () => {
  const foreign = `${"1".repeat(64)}  other.txt\n`;
  for (const text of [foreign, "not a list at all\n"]) {
    await using world = await worldWith();
    world.fs.seed({ [`${AT_NAS}/_checksums.sha256`]: text });
    const bytes = new TextEncoder().encode(text);
    const object = { bytes, etag: "e", versionId: null, sha256: null, metadata: {}, storageClass: null };
    world.store.objects.set("fusion/study1/_checksums.sha256", object);
    assertDone(await world.run());
    const kept = Object.entries(world.files(AT_NAS)).filter(([path]) => path.startsWith("_checksums.sha256."));
    assert.deepEqual(kept.map(([, content]) => content), [text]);
    const objects = Object.entries(world.objects()).filter(([key]) => key.startsWith("study1/_checksums.sha256."));
    assert.deepEqual(objects.map(([, content]) => new TextDecoder().decode(content)), [text]);
  }
});

Deno.test("S7 a sidecar of an earlier attempt gives way to one that says more", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "checksum-sidecar", () => world.study("study1", { "late.txt": "late" }));
  assertFailed(report, "record/not-proved");
  world.clock.time += 3_600_000;
  assertDone(await world.run());
  const sidecars = Object.keys(world.files(AT_NAS)).filter((path) => path.startsWith("_checksums"));
  assert.deepEqual(sidecars, ["_checksums.sha256"]);
  assert.equal((await world.ledger()).get("study1")?.file_count, 4);
});

Deno.test("S7 --force repeats the work and waives no condition", async () => {
  await using world = await worldWith();
  world.fs.seed({ [`${AT_NAS}/a.txt`]: "ALPHA" });
  assertFailed(await world.run({ force: true }), "copy/conflict");
  assert.equal(world.files(AT_NAS)["a.txt"], "ALPHA");
  world.fs.disk.removeFile(`${AT_NAS}/a.txt`);
  const report = await runAndAfter(world, "record", () => world.fs.disk.removeFile(`${AT_NAS}/b.txt`), { force: true });
  assertFailed(report, "destroy/not-proved");
  assertSourceWhole(world);
});
