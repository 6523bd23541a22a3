import assert from "node:assert/strict";
import { createEnvironmentProbe } from "../../core/lint/environment.ts";
import { installPlaces } from "../../core/run/install_places.ts";
import type { EngineServices } from "../../core/run/services.ts";
import { assertDone, FILES, runAndAfter } from "../kit/rules.ts";
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, STATE_ROOT, World } from "../../testing/world.ts";

const ROOTS = [SOURCE_ROOT, NAS_ROOT, MANIFEST_ROOT];
const behind = (root: string) => root.replace(/\/[^/]+$/, "/behind");

/** A world whose three roots are links to folders beside them. */
async function linkedWorld(options: Parameters<typeof World.open>[0] = {}): Promise<World> {
  const world = await World.open(options);
  for (const root of ROOTS) {
    world.fs.disk.rename(root, behind(root));
    world.fs.seed({ [root]: { link: behind(root) } });
  }
  world.fs.seed(
    Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`${behind(SOURCE_ROOT)}/study1/${path}`, text])),
    { at: world.clock.now() - 30 * 86_400_000 },
  );
  return world;
}

function install(world: World, services: EngineServices) {
  const { pipeline } = world.compile();
  assert.ok(pipeline);
  const signal = new AbortController().signal;
  return installPlaces(
    [{ compiled: pipeline, config: pipeline.config.view, stateDir: STATE_ROOT, abort: signal }],
    services,
  );
}

/** What the engine works with in this world. */
async function servicesOf(world: World): Promise<EngineServices> {
  let found: EngineServices | undefined;
  await world.run({ dryRun: true, wrap: (services) => found = services });
  assert.ok(found);
  return { ...found, journal: world.journal };
}

Deno.test("S1 roots that are links are marked, pass lint and are run as the folders they lead to", async () => {
  await using world = await linkedWorld({ unmarked: true });
  const services = await servicesOf(world);
  const probe = createEnvironmentProbe({ fs: world.fs, openStore: () => Promise.reject(new Error("not asked")) });
  const signal = new AbortController().signal;
  for (const root of ROOTS) assert.equal((await probe.folder(root, signal)).kind, "not-marked", root);
  assert.deepEqual(
    (await install(world, services)).map(({ path, created }) => [path, created]),
    ROOTS.map((root) => [root, true]),
  );
  for (const root of ROOTS) assert.equal((await probe.folder(root, signal)).kind, "folder", root);
  assertDone(await world.run());
  assert.equal(world.files(behind(NAS_ROOT))["study1/a.txt"], FILES["a.txt"]);
  assert.equal(world.fs.disk.lstat(`${behind(SOURCE_ROOT)}/study1`), undefined);
});

Deno.test("S1 a root that is a link to nothing is no place, and lint and install places say the same", async () => {
  await using world = await linkedWorld({ unmarked: true });
  const services = await servicesOf(world);
  world.fs.seed({ [NAS_ROOT]: { link: "/nas/away" } });
  const probe = createEnvironmentProbe({ fs: world.fs, openStore: () => Promise.reject(new Error("not asked")) });
  assert.deepEqual(await probe.folder(NAS_ROOT, new AbortController().signal), { kind: "absent" });
  await assert.rejects(install(world, services), { code: "place/missing" });
  assert.equal((await world.run()).exit_code, 2);
});

Deno.test("S1 a link that leads to another device with a copy of the marker ends the run before anything is removed", async () => {
  await using world = await linkedWorld();
  world.fs.mount("/other", {});
  const report = await runAndAfter(world, "record", () => {
    for (const [path, text] of Object.entries(world.fs.tree(behind(NAS_ROOT)))) {
      world.fs.seed({ [path.replace(behind(NAS_ROOT), "/other/nas")]: text });
    }
    world.fs.seed({ [NAS_ROOT]: { link: "/other/nas" } });
  });
  assert.deepEqual([report.exit_code, report.error?.code], [1, "place/changed"]);
  assert.match(report.error?.message ?? "", /it is on device/);
  for (const [path, text] of Object.entries(FILES)) {
    assert.equal(world.files(behind(SOURCE_ROOT))[`study1/${path}`], text);
  }
});
