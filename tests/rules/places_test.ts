import { rememberMarker } from "../../core/safety/known_markers.ts";
import assert from "node:assert/strict";
import { systemError } from "../../testing/memory_file_system.ts";
import { failure } from "../../testing/memory_object_store.ts";
import { installPlaces } from "../../core/run/install_places.ts";
import type { EngineServices } from "../../core/run/services.ts";
import { CLEANUP } from "../kit/backups.ts";
import { BACKUP, MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, STATE_ROOT, World } from "../../testing/world.ts";
import {
  archived,
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  everything,
  FILES,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../kit/rules.ts";

const OTHER_MARKER = "99999999-0000-4000-8000-000000000000\n";
const MARKER = "/.labferry-place";

/** The share goes away and its mount point, an empty local folder, shows. */
function unmountNas(world: World): void {
  world.fs.unmount("/nas");
  world.fs.seed({ [`${NAS_ROOT}/`]: "" });
}

Deno.test("S1 an unmounted NAS is an empty folder: exit 2, the command that marks it, nothing written", async () => {
  await using world = await worldWith();
  unmountNas(world);
  const before = everything(world);
  const report = await world.run();
  assert.equal(report.exit_code, 2);
  assert.equal(report.error?.code, "place/not-marked");
  assert.match(report.error?.hint ?? "", /install places/);
  assert.deepEqual(everything(world), before);
});

Deno.test("S1 a source or ledger folder without a marker stops the run with exit 2, nothing written", async () => {
  for (const root of [SOURCE_ROOT, MANIFEST_ROOT]) {
    await using world = await worldWith();
    world.fs.disk.removeFile(root + MARKER);
    const before = everything(world);
    const report = await world.run();
    assert.equal(report.exit_code, 2, root);
    assert.equal(report.error?.code, "place/not-marked", root);
    assert.deepEqual(everything(world), before, root);
  }
});

Deno.test("S1 a NAS that goes away between two stages ends the run with exit 1; the source stays", async () => {
  for (const stage of ["truenas", "verify", "checksum-sidecar", "s3"]) {
    await using world = await worldWith();
    const report = await runAndAfter(world, stage, () => unmountNas(world));
    assert.equal(report.exit_code, 1, stage);
    assertSourceWhole(world);
    assert.deepEqual(world.files(NAS_ROOT), {}, "the mount point receives nothing");
    assert.notEqual((await world.ledger()).get("study1")?.status, "complete", stage);
    world.fs.disk.removeEmptyDir(NAS_ROOT);
    world.fs.remount("/nas");
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
  }
});

Deno.test("S1 a NAS that goes away while files are copied: exit 1, failed_truenas, nothing proved", async () => {
  await using world = await worldWith();
  let writes = 0;
  world.fs.fault = ({ operation, path }) => {
    if (operation === "createNew" && path.startsWith(AT_NAS) && ++writes === 2) unmountNas(world);
  };
  const report = await world.run();
  world.fs.fault = undefined;
  assert.equal(report.exit_code, 1);
  assertSourceWhole(world);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "failed_truenas");
  assert.equal(record?.truenas_verified_at, null);
});

Deno.test("S1 bytes that a local folder took in the NAS's place are never called written", async () => {
  for (const oneFails of [false, true]) {
    await using world = await worldWith();
    const written: string[] = [];
    const put = world.journal.evidence.put.bind(world.journal.evidence);
    world.journal.evidence.put = (id, rows) => {
      written.push(...rows.filter(({ place }) => place === "truenas").map(({ path }) => path));
      return put(id, rows);
    };
    world.fs.fault = ({ operation, path }) => {
      if (operation !== "createNew" || !path.startsWith(`${AT_NAS}/`)) return;
      world.fs.fault = undefined;
      unmountNas(world);
      // Folders of its own, so that every copy of the batch finds its way.
      const folders = Object.keys(FILES).map((file) => `${AT_NAS}/${file}`.replace(/[^/]*$/, ""));
      world.fs.seed(Object.fromEntries(folders.map((folder) => [folder, ""])));
      if (oneFails) throw systemError("EIO", path);
    };
    const report = await world.run();
    assert.equal(report.exit_code, 1);
    const taken = Object.keys(world.files(AT_NAS)).filter((path) => path in FILES);
    assert.equal(taken.length, Object.keys(FILES).length - (oneFails ? 1 : 0));
    assert.deepEqual(written, []);
    assertSourceWhole(world);
  }
});

Deno.test("S1 another marker at the NAS during a run: exit 1 before another byte is written or removed", async () => {
  for (const stage of ["manifest-append", "truenas", "s3", "record"]) {
    await using world = await worldWith();
    const report = await runAndAfter(world, stage, () => {
      world.fs.seed({ [NAS_ROOT + MARKER]: OTHER_MARKER });
    });
    assert.equal(report.exit_code, 1, stage);
    assertSourceWhole(world);
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at ?? null, null, stage);
  }
});

Deno.test("S1 the markers are looked at before each batch of a destroy, the source's too", async () => {
  for (const root of [NAS_ROOT, SOURCE_ROOT]) {
    const files = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${1000 + i}`, "x"]));
    await using world = await worldWith(files);
    const report = await runAndBeforeRemoval(world, 1000, () => world.fs.seed({ [root + MARKER]: OTHER_MARKER }));
    assert.equal(report.exit_code, 1, root);
    assert.deepEqual(Object.keys(world.files(AT_SOURCE)), ["f2000"], `${root}: the second batch stays`);
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});

Deno.test("S1 evidence of a NAS does not count at another NAS under the same path", async () => {
  await using world = await worldWith();
  const away = { before: () => Promise.reject(failure("unreachable")) };
  assertFailed(await runAndAfter(world, "checksum-sidecar", () => world.store.hooks = away), "s3/unreachable");
  world.store.hooks = {};
  world.fs.unmount("/nas");
  world.fs.mount("/nas", {});
  world.fs.seed({ [NAS_ROOT + MARKER]: OTHER_MARKER });
  // Replaced on purpose, as `install places --replaced` notes it.
  await rememberMarker(world.journal.cursors, NAS_ROOT, { uuid: OTHER_MARKER.trim() });
  assertDone(await world.run());
  const copied = world.files(AT_NAS);
  for (const [path, content] of Object.entries(FILES)) assert.equal(copied[path], content);
});

const secondCopy = (to: string, more = "") =>
  BACKUP.replace(
    `[[stage]]\nuse  = "s3-upload"`,
    `[[stage]]\nuse = "copy"\nid = "second"\nwith = { to = "${to}"${more} }\n[[stage]]\nuse = "verify"\nid = "verify-second"\n` +
      `with = { place = "second" }\n[[stage]]\nuse  = "s3-upload"`,
  );

Deno.test("S2 roots that are one folder, or one within the other, stop the run with exit 2, nothing written", async () => {
  for (const to of [NAS_ROOT, `${NAS_ROOT}/inner`, `${SOURCE_ROOT}/copies`, MANIFEST_ROOT, "/alias", "/alias/inner"]) {
    await using world = await worldWith();
    world.fs.seed({ "/alias": { link: NAS_ROOT }, [`${NAS_ROOT}/inner${MARKER}`]: OTHER_MARKER });
    world.fs.seed({ [`${SOURCE_ROOT}/copies${MARKER}`]: OTHER_MARKER });
    const before = everything(world);
    const report = await world.run({ pipeline: secondCopy(to), unlinted: true });
    assert.equal(report.exit_code, 2, to);
    assert.equal(report.error?.code, "place/not-distinct", to);
    assert.deepEqual(everything(world), before, to);
  }
});

Deno.test("S2 two places of one domain count once before a destroy", async () => {
  const inOneDomain = secondCopy("/nas/second", `, domain = "room"`).replace(
    `with = { to = "\${paths.truenas_root}" }`,
    `with = { to = "\${paths.truenas_root}", domain = "room" }`,
  );
  const folders = inOneDomain.replace(/\[\[stage\]\]\nuse {2}= "s3-upload"[^[]*/, "");
  await using world = await worldWith();
  world.fs.seed({ [`/nas/second${MARKER}`]: OTHER_MARKER });
  const { diagnostics } = world.compile(folders);
  assert.ok(diagnostics.some((found) => found.code.startsWith("safety/")), "lint sees it");
  assertFailed(await world.run({ pipeline: folders, unlinted: true }), "destroy/not-proved");
  assertSourceWhole(world);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete");
  assert.equal(record?.source_deleting_at, null, "the intent is withdrawn");
});

Deno.test("S2 a hard link to the source's own file is no copy", async () => {
  await using world = await worldWith();
  world.fs.seed({ [`/instrument/copies${MARKER}`]: OTHER_MARKER, "/instrument/copies/study1/": "" });
  world.fs.disk.link(`${AT_SOURCE}/a.txt`, "/instrument/copies/study1/a.txt");
  world.clock.time += 3_600_000;
  assertFailed(await world.run({ pipeline: secondCopy("/instrument/copies") }), "copy/conflict");
  assertSourceWhole(world);
});

Deno.test("S2 a copy that becomes a link to the source's own file after its proof permits no destroy", async () => {
  await using world = await worldWith();
  world.fs.seed({ [`/instrument/copies${MARKER}`]: OTHER_MARKER });
  const report = await runAndAfter(world, "record", () => {
    world.fs.disk.removeFile("/instrument/copies/study1/a.txt");
    const { ctimeMs } = world.fs.disk.lstat(`${AT_SOURCE}/a.txt`)!;
    world.fs.disk.link(`${AT_SOURCE}/a.txt`, "/instrument/copies/study1/a.txt");
    // As if it were made within the second of the file's last change.
    world.fs.disk._find(`${AT_SOURCE}/a.txt`, { follow: false }).ctimeMs = ctimeMs!;
  }, { pipeline: secondCopy("/instrument/copies") });
  assertFailed(report, "destroy/not-proved");
  assertSourceWhole(world);
});

Deno.test("S2 one bucket and prefix under two ids stops the run", async () => {
  const again = `[[stage]]\nuse = "s3-upload"\nid = "again"\n` +
    `with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}/inner" }\n[[stage]]\nuse  = "manifest-append"\nid   = "record"`;
  const twice = BACKUP.replace(`[[stage]]\nuse  = "manifest-append"\nid   = "record"`, again);
  await using world = await worldWith();
  const before = archived(world);
  const report = await world.run({ pipeline: twice, unlinted: true });
  assert.equal(report.exit_code, 2);
  assert.equal(report.error?.code, "place/not-distinct");
  assert.deepEqual(archived(world), before);
});

Deno.test("S2 roots that show one marker are one share mounted twice: exit 2, nothing written", async () => {
  const pairs = [[SOURCE_ROOT, NAS_ROOT], [NAS_ROOT, MANIFEST_ROOT], [SOURCE_ROOT, MANIFEST_ROOT], [NAS_ROOT, "/nas2"]];
  for (const [from, to] of pairs) {
    await using world = await worldWith();
    world.fs.mount("/nas2", {});
    world.fs.seed({ ["/nas2" + MARKER]: OTHER_MARKER });
    world.fs.seed({ [to + MARKER]: world.fs.disk.tree(from)[from + MARKER] });
    const before = everything(world);
    const report = await world.run({ pipeline: secondCopy("/nas2") });
    assert.deepEqual([report.exit_code, report.error?.code], [2, "place/same-marker"], to);
    assert.match(report.error?.hint ?? "", /mounted twice.*install places/);
    assert.deepEqual(everything(world), before, to);
  }
});

Deno.test("S2 a ledger folder that shows another root's marker at the act permits no destroy", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => {
    world.fs.seed({ [MANIFEST_ROOT + MARKER]: world.fs.disk.tree(NAS_ROOT)[NAS_ROOT + MARKER] });
  });
  assert.notEqual(report.exit_code, 0);
  assertSourceWhole(world);
});

/** A pipeline whose config has two paths exchanged. */
function exchanged(text: string, one: string, other: string): string {
  return text.replaceAll(`paths.${one}`, "paths.?").replaceAll(`paths.${other}`, `paths.${one}`)
    .replaceAll("paths.?", `paths.${other}`);
}

/** What `install places` does in this world. */
async function install(
  world: World,
  { pipelines = [BACKUP], ...options }: { pipelines?: string[]; replaced?: boolean },
) {
  let services: EngineServices | undefined;
  await world.run({ dryRun: true, wrap: (given) => services = given });
  const requests = pipelines.map((text) => {
    const { pipeline: compiled } = world.compile(text);
    assert.ok(compiled);
    return { compiled, config: compiled.config.view, stateDir: STATE_ROOT, abort: new AbortController().signal };
  });
  return await installPlaces(requests, { ...services!, journal: world.journal }, options);
}

Deno.test("S1 install places sets space aside at places and beside the ledger, never at the instrument", async () => {
  await using world = await worldWith();
  await install(world, {});
  const made = [SOURCE_ROOT, NAS_ROOT, MANIFEST_ROOT].map((root) =>
    world.fs.disk.lstat(`${root}/.labferry-reserve`)?.size
  );
  assert.deepEqual(made.map((size) => size !== undefined), [false, true, true]);
  world.fs.fault = ({ operation, path }) => {
    if (operation === "write" && path.endsWith("-reserve")) throw systemError("ENOSPC", path);
  };
  for (const root of [NAS_ROOT, MANIFEST_ROOT]) world.fs.disk.removeFile(`${root}/.labferry-reserve`);
  assert.equal((await install(world, {})).length, 3, "the marks are what counts");
});

const markOf = (world: World, root: string) => world.fs.disk.tree(root)[root + MARKER];

Deno.test("S1 source and NAS exchanged in the config: exit 2, nothing written, nothing removed; so says a dry run", async () => {
  for (const by of ["run", "install places"]) {
    await using world = await worldWith();
    if (by === "install places") await install(world, {});
    assertDone(await world.run());
    world.study("study2", { "b.txt": "beta" });
    world.clock.time += 40 * 86_400_000;
    const before = everything(world);
    const pipeline = exchanged(BACKUP, "source_root", "truenas_root");
    const wrap = (services: EngineServices) => ({ ...services, journal: world.journal });
    for (const dryRun of [true, false]) {
      const report = await world.run({ pipeline, dryRun, wrap });
      assert.deepEqual([report.exit_code, report.error?.code], [2, "place/other-role"], `${by} ${dryRun}`);
      assert.match(
        report.error?.message ?? "",
        /"\/nas\/backups" as source.* place .*"\/instrument\/studies" as truenas/,
      );
      assert.deepEqual(everything(world), before, by);
    }
    await assert.rejects(install(world, { pipelines: [pipeline] }), { code: "place/other-role", stopsRun: 2 });
    await assert.rejects(install(world, { pipelines: [pipeline], replaced: true }), { code: "place/other-role" });
    assert.deepEqual(everything(world), before, by);
    assertDone(await world.run());
  }
});

Deno.test("S1 no two of source, NAS and ledger can be exchanged", async () => {
  const exchanges = [
    { sourceRoot: NAS_ROOT, nasRoot: SOURCE_ROOT },
    { nasRoot: MANIFEST_ROOT, manifestRoot: NAS_ROOT },
    { sourceRoot: MANIFEST_ROOT, manifestRoot: SOURCE_ROOT },
    { sourceRoot: NAS_ROOT, nasRoot: MANIFEST_ROOT, manifestRoot: SOURCE_ROOT },
  ];
  for (const roots of exchanges) {
    await using world = await worldWith();
    assertDone(await world.run());
    const before = everything(world);
    const report = await world.run(roots);
    assert.deepEqual([report.exit_code, report.error?.code], [2, "place/other-role"], JSON.stringify(roots));
    for (const root of Object.values(roots)) assert.ok(report.error?.message.includes(`"${root}" as`), root);
    assert.deepEqual(everything(world), before);
  }
});

Deno.test("S1 install places leaves marks as they are: a UUID each, also where backup and cleanup share a root", async () => {
  await using world = await worldWith();
  const roots = [SOURCE_ROOT, NAS_ROOT, MANIFEST_ROOT];
  const uuids = roots.map((root) => markOf(world, root).trim());
  for (const pipelines of [[BACKUP, CLEANUP], [CLEANUP]]) {
    const installed = await install(world, { pipelines });
    assert.ok(installed.every(({ created }) => !created));
    assert.deepEqual(roots.map((root) => markOf(world, root)), uuids.map((uuid) => `${uuid}\n`));
  }
  assertDone(await world.run());
  assert.equal((await world.run({ pipeline: CLEANUP })).error, undefined, "what backup writes, cleanup frees");
});

Deno.test("S1 install places refuses a folder that two pipelines want in two roles, before it marks any", async () => {
  await using world = await World.open({ unmarked: true });
  const pipelines = [BACKUP, exchanged(BACKUP, "source_root", "truenas_root")];
  await assert.rejects(install(world, { pipelines }), { code: "place/other-role", stopsRun: 2 });
  for (const root of [SOURCE_ROOT, NAS_ROOT, MANIFEST_ROOT]) assert.equal(markOf(world, root), undefined, root);
});
