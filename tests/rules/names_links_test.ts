import assert from "node:assert/strict";
import { SOURCE_ROOT, World } from "../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  manyFiles,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../kit/rules.ts";

const DAYS_30 = 30 * 86_400_000;

async function assertNothingCopied(world: World): Promise<void> {
  assert.deepEqual(Object.keys(world.files(AT_NAS.slice(0, AT_NAS.lastIndexOf("/")))), []);
  assert.deepEqual(world.objects(), {});
  assert.notEqual((await world.ledger()).get("study1")?.status, "complete");
}

Deno.test("S14 a name only the bucket cannot hold fails the study before a byte is copied to the NAS", async () => {
  const deep = `${Array.from({ length: 6 }, () => "d".repeat(180)).join("/")}/x.txt`;
  await using world = await worldWith({ ...FILES, [deep]: "x" });
  const report = await world.run();
  assertFailed(report, "item/names");
  assert.deepEqual(report.items[0].error?.stage, "truenas");
  await assertNothingCopied(world);
});

Deno.test("S14 alternate streams of Windows fail the study before a byte is copied, each listed", async () => {
  await using world = await worldWith();
  const streams: Record<string, string[]> = {
    [AT_SOURCE]: ["notes"],
    [`${AT_SOURCE}/a.txt`]: ["Zone.Identifier", "more"],
  };
  Object.assign(world.fs, { namedStreams: (path: string) => Promise.resolve(streams[path] ?? []) });
  const report = await world.run();
  assertFailed(report, "item/streams");
  const findings = report.items[0].error?.findings ?? [];
  assert.deepEqual(findings.map(({ rule, path }) => [rule, path]), [
    ["names/stream", "."],
    ["names/stream", "a.txt"],
    ["names/stream", "a.txt"],
  ]);
  assert.match(findings[2].message, /"more"/);
  assertSourceWhole(world);
  await assertNothingCopied(world);
  delete streams[AT_SOURCE];
  delete streams[`${AT_SOURCE}/a.txt`];
  assertDone(await world.run());
});

Deno.test("S14 names that cannot be told apart or carried fail the study before a byte is copied, each listed", async () => {
  const bad: Record<string, string[]> = {
    "names/collision": ["Scan1/A.tif", "Scan1/a.tif"],
    "names/not-text": ["bad\ufffdname"],
    "names/reserved": ["_checksums.sha256"],
  };
  for (const [rule, paths] of Object.entries(bad)) {
    await using world = await worldWith({ ...FILES, ...Object.fromEntries(paths.map((path) => [path, "x"])) });
    const report = await world.run();
    assertFailed(report, "item/names");
    const findings = report.items[0].error?.findings ?? [];
    assert.ok(findings.some((found) => found.rule === rule && paths.includes(found.path)), JSON.stringify(findings));
    assertSourceWhole(world);
    await assertNothingCopied(world);
  }
});

Deno.test("S14 two spellings of one accent collide", async () => {
  await using world = await worldWith({ "\u00fc.tif": "x", "u\u0308.tif": "y" });
  assertFailed(await world.run(), "item/names");
  await assertNothingCopied(world);
});

Deno.test("S14 what looks like our own temporary, lock or marker in a source is not silently left out", async () => {
  for (const name of [`.labferry-tmp-${"a".repeat(32)}`, "Scan1/.labferry.lock", ".labferry-place", ".LABFERRY-x"]) {
    await using world = await worldWith({ ...FILES, [name]: "x" });
    assertFailed(await world.run(), "item/names");
    assertSourceWhole(world, { ...FILES });
    assert.notEqual(world.fs.disk.lstat(`${AT_SOURCE}/${name}`), undefined);
    await assertNothingCopied(world);
  }
});

Deno.test("S14 a place that spells a name in another way, or folds two into one file, fails verify", async () => {
  await using renamed = await worldWith();
  assertFailed(
    await runAndAfter(renamed, "truenas", () => renamed.fs.disk.rename(`${AT_NAS}/a.txt`, `${AT_NAS}/A.txt`)),
    "io/gone",
  );
  assertSourceWhole(renamed);

  await using folding = await worldWith();
  folding.fs.disk.setMount("/nas", { ignoreCase: true });
  const report = await runAndAfter(folding, "truenas", () => {
    folding.fs.disk.rename(`${AT_NAS}/a.txt`, `${AT_NAS}/A.txt`);
  });
  assertFailed(report, "verify/missing");
  assertSourceWhole(folding);

  await using linked = await worldWith({ "a.txt": "same", "b.txt": "same" });
  const shared = await runAndAfter(linked, "truenas", () => {
    linked.fs.disk.removeFile(`${AT_NAS}/b.txt`);
    linked.fs.disk.link(`${AT_NAS}/a.txt`, `${AT_NAS}/b.txt`);
  });
  assertFailed(shared, "verify/missing");
  assert.equal((await linked.ledger()).get("study1")?.status, "failed_truenas");
});

Deno.test("S14 odd names that can be carried are carried as they are", async () => {
  const files = { "\nnew\\line": "1", " leading": "2", "-": "3", "日本.tif": "4", "\u{1f600}/x": "5", "\ue000": "6" };
  await using world = await worldWith(files);
  assertDone(await world.run());
  const copied = world.files(AT_NAS);
  for (const [path, content] of Object.entries(files)) {
    assert.equal(copied[path], content, path);
    assert.equal(new TextDecoder().decode(world.objects()[`study1/${path}`]), content, path);
  }
});

Deno.test("S14 a study named as the engine's own keys and files beside the studies is refused", async () => {
  const names = ["_claims", "_manifests", "_Probe", ".cleanup.lock"];
  await using world = await worldWith();
  for (const name of names) world.study(name, FILES);
  const report = await world.run();
  const codes = Object.fromEntries(report.items.map((item) => [item.name, item.error?.code]));
  assert.deepEqual(codes, { ...Object.fromEntries(names.map((name) => [name, "item/names"])), study1: undefined });
  for (const name of names) assertSourceWhole(world, FILES, name);
  assert.equal((await world.ledger()).size, 1);
});

Deno.test("S15 a link in a study fails it and is never followed", async () => {
  for (const [name, link] of [["link", "/secret"], ["Scan1/link", "../.."], ["dangling", "nowhere"], ["a", "b.txt"]]) {
    await using world = await worldWith();
    world.fs.seed({ "/secret/key": "secret", [`${AT_SOURCE}/${name}`]: { link } }, { at: world.clock.now() - DAYS_30 });
    assertFailed(await world.run(), "item/names");
    assertSourceWhole(world);
    assert.equal(world.files(AT_SOURCE)[name], `-> ${link}`);
    assert.equal(world.files("/secret").key, "secret");
    await assertNothingCopied(world);
  }
});

Deno.test("S15 a study that is itself a link, or a file, is left out and untouched", async () => {
  await using world = await World.open();
  world.fs.seed({ "/elsewhere/a.txt": "x", [AT_SOURCE]: { link: "/elsewhere" }, [`${SOURCE_ROOT}/file`]: "y" });
  const report = await world.run();
  assertDone(report);
  assert.deepEqual(report.items, []);
  assert.equal(world.files("/elsewhere")["a.txt"], "x");
  assert.equal(world.fs.tree(SOURCE_ROOT)[AT_SOURCE], "-> /elsewhere");
});

Deno.test("S15 a folder that is replaced by a link during a destroy: nothing behind it is removed", async () => {
  const files = Object.fromEntries(Object.entries(manyFiles()).map(([name, text]) => [`Scan1/${name}`, text]));
  for (const outside of ["/instrument/elsewhere", `${SOURCE_ROOT}/study2`]) {
    await using world = await worldWith(files);
    const report = await runAndBeforeRemoval(world, 1000, () => {
      world.fs.disk.rename(`${AT_SOURCE}/Scan1`, outside);
      world.fs.seed({ [`${AT_SOURCE}/Scan1`]: { link: outside } });
    });
    assertFailed(report, "destroy/escapes");
    assert.equal(Object.keys(world.files(outside)).length, 10, "the second batch stays");
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});

Deno.test("S15 a link at the NAS in the place of a copied file is no copy", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "truenas", () => {
    world.fs.disk.removeFile(`${AT_NAS}/a.txt`);
    world.fs.seed({ [`${AT_NAS}/a.txt`]: { link: `${AT_SOURCE}/a.txt` } });
  });
  assert.equal(report.exit_code, 1);
  assertSourceWhole(world);
  assert.equal((await world.ledger()).get("study1")?.status, "failed_truenas");
});

Deno.test("S16 the name of a study is one path segment: others fail and stop nobody", async () => {
  const names = ["trailing.", "trailing ", "colon:name"];
  await using world = await worldWith();
  for (const name of names) world.study(name, FILES);
  const report = await world.run();
  assert.equal(report.exit_code, 1);
  const codes = Object.fromEntries(report.items.map((item) => [item.name, item.error?.code]));
  assert.deepEqual(codes, { ...Object.fromEntries(names.map((name) => [name, "item/names"])), study1: undefined });
  for (const name of names) assertSourceWhole(world, FILES, name);
  assert.equal((await world.ledger()).get("study1")?.status, "complete");
  assert.deepEqual(Object.keys(world.objects()).filter((key) => !key.startsWith("study1/")), []);
});

Deno.test("S16 two studies whose names a folder could take for one both fail", async () => {
  await using world = await worldWith();
  world.study("Study1", FILES);
  const report = await world.run();
  assert.deepEqual(report.items.map((item) => [item.name, item.error?.code]), [
    ["Study1", "item/names"],
    ["study1", "item/names"],
  ]);
  assertSourceWhole(world);
  assert.deepEqual(world.objects(), {});
});
