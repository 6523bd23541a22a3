import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { loadConfig } from "../../core/pipeline/config.ts";
import { s3 } from "../../plugins/stores/s3.ts";
import { s3Upload } from "../../stages/s3_upload.ts";
import { SOURCE_ROOT, World } from "../../testing/world.ts";
import { assertDone, FILES, LOCK, pipelineOf, S3, stageOf, STUDY, studyWorld } from "./_stage_world.ts";

const DAY = 86_400_000;
const PIPELINE = pipelineOf(LOCK, S3);

Deno.test("s3-upload.apply() puts every file under prefix and name, with hash and time as metadata", async () => {
  await using world = await studyWorld();
  const report = await world.run({ pipeline: PIPELINE });
  assertDone(report);
  assert.equal(stageOf(report, "s3").guarantee, "server-checksum");
  for (const [path, text] of Object.entries(FILES)) {
    const object = world.store.objects.get(`fusion/${STUDY}/${path}`);
    assert.equal(new TextDecoder().decode(object?.bytes), text);
    assert.equal(object?.metadata.sha256, createHash("sha256").update(text).digest("hex"));
    assert.match(object?.metadata.mtime ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  }
});

Deno.test("s3-upload.apply() puts empty folders and the sidecar, and never the lock", async () => {
  await using world = await studyWorld();
  await world.fs.mkdir(`${SOURCE_ROOT}/${STUDY}/nothing in it`);
  world.clock.time += DAY;
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.deepEqual(
    Object.keys(world.objects()).sort(),
    [...Object.keys(FILES), "_checksums.sha256", "nothing in it/"].map((path) => `${STUDY}/${path}`).sort(),
  );
  assert.equal(stageOf(await world.run({ pipeline: PIPELINE }), "s3").outcome, "skipped", "nothing is uploaded twice");
  world.store.objects.delete(`fusion/${STUDY}/nothing in it/`);
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.ok(`${STUDY}/nothing in it/` in world.objects());
});

Deno.test("s3-upload.plan() skips objects that stand as they were proved, and uploads one that vanished", async () => {
  await using world = await studyWorld();
  assertDone(await world.run({ pipeline: PIPELINE }));
  assert.deepEqual([stageOf(await world.run({ pipeline: PIPELINE }), "s3").files], [0]);
  world.store.objects.delete(`fusion/${STUDY}/a.txt`);
  assert.equal(stageOf(await world.run({ pipeline: PIPELINE }), "s3").files, 1);
  assert.ok(world.objects()[`${STUDY}/a.txt`]);
});

Deno.test("S8 s3-upload.apply() reads back from a store that takes wrong checksums", async () => {
  await using world = await studyWorld({ store: { checksums: false } });
  const report = await world.run({ pipeline: PIPELINE });
  assertDone(report);
  assert.equal(stageOf(report, "s3").guarantee, "read-back");
});

Deno.test("s3-upload.apply() with verify none claims no proof", async () => {
  await using world = await studyWorld();
  const unproved = S3.replace(`part = "5 MiB"`, `part = "5 MiB", verify = "none"`);
  const report = await world.run({ pipeline: pipelineOf(LOCK, unproved) });
  assertDone(report);
  assert.equal(stageOf(report, "s3").guarantee, "none");
});

/** The options the store `s3` is opened with, for a `[s3]` of the config and options of the stage. */
function storeOptions(section: string, more: Record<string, unknown> = {}) {
  const text = `[s3]\n${section}`;
  const { loaded } = loadConfig({ path: "/etc/labferry/config.toml", text, system: "posix" });
  assert.ok(loaded);
  const options = s3Upload.options.parse({ bucket: "lab-archive", ...more });
  const [place] = s3Upload.places!(options, "s3", loaded.view);
  assert.ok(place.kind === "objects");
  return s3.options.parse(place.options);
}

Deno.test("s3-upload leaves it to the store where the bucket stands, unless config or stage say so", () => {
  const endpoint = `endpoint = "https://s3.lab.example"\n`;
  assert.equal(storeOptions(endpoint).force_path_style, undefined);
  assert.equal(storeOptions(`${endpoint}force_path_style = false`).force_path_style, false);
  assert.equal(storeOptions(`${endpoint}force_path_style = true`).force_path_style, true);
  assert.equal(storeOptions(`${endpoint}force_path_style = true`, { force_path_style: false }).force_path_style, false);
});

Deno.test("s3-upload takes ca_file from [s3] or from the stage, relative to the config's folder", async () => {
  assert.equal(storeOptions(`ca_file = "lab-ca.pem"`).ca_file, "/etc/labferry/lab-ca.pem");
  assert.equal(storeOptions("").ca_file, undefined);
  const stage = (more: string) => pipelineOf(LOCK, S3.replace(`part = "5 MiB"`, `part = "5 MiB"${more}`));
  const caFile = (world: World, more: string) => {
    const { pipeline, diagnostics } = world.compile(stage(more));
    assert.deepEqual(diagnostics.filter(({ severity }) => severity === "error"), []);
    const place = pipeline?.places.find(({ id }) => id === "s3");
    return place?.kind === "objects" ? place.options.ca_file : "no bucket";
  };
  await using world = await World.open({ config: `ca_file = "own.pem"\n` });
  assert.equal(caFile(world, ""), "/state/own.pem");
  assert.equal(caFile(world, `, ca_file = "certs/stage.pem"`), "/state/certs/stage.pem");
});

Deno.test("s3-upload refuses parts that the memory of a run does not hold, and names value and limit", async () => {
  await using world = await World.open();
  const errors = (part: string) =>
    world.compile(pipelineOf(LOCK, S3.replace("5 MiB", part))).diagnostics.filter(({ severity }) =>
      severity === "error"
    );
  assert.deepEqual(errors("64 MiB"), []);
  const [found, ...others] = errors("4 GiB");
  assert.deepEqual(others, []);
  assert.equal(found.code, "options/bad-value");
  assert.match(found.message, /"part" of stage "s3": wanted at most 64 MiB, found "4 GiB"/);
});

Deno.test("s3-upload refuses a prefix whose segments no key should have", () => {
  for (const prefix of ["", "fusion", "/fusion/raw/", "a b/ü"]) {
    s3Upload.options.parse({ bucket: "lab-archive", prefix });
  }
  for (const prefix of ["../d", "a/../b", "a//b", ".", "a/.", "a\\b"]) {
    assert.throws(() => s3Upload.options.parse({ bucket: "lab-archive", prefix }), /none of them empty/, prefix);
  }
});
