/** A run over backups that must not begin, and the dry run that says so. */
import assert from "node:assert/strict";
import type { RunReport } from "../../../core/run/report.ts";
import { backedUp, cleanup, EVICT_ALL, onNas, studyOf } from "../../kit/backups.ts";
import { MANIFEST_ROOT, type World, type WorldOptions } from "../../../testing/world.ts";

const MIB = 2 ** 20;
const STUDIES = { old: studyOf(MIB), middle: studyOf(MIB), young: studyOf(MIB) };

/** The ledger lost its last line, and its mirror has it. */
async function contradicted(options: WorldOptions = {}): Promise<World> {
  const world = await backedUp(STUDIES, { nasBytes: 8 * MIB, config: EVICT_ALL, ...options });
  const [month] = Object.keys(world.fs.tree(MANIFEST_ROOT)).filter((path) => path.endsWith(".jsonl"));
  const lines = new TextDecoder().decode(world.fs.bytes(month)).split("\n");
  world.fs.seed({ [month]: `${lines.slice(0, -2).join("\n")}\n` });
  return world;
}

const meets = (report: RunReport) => [report.exit_code, report.error?.code];

Deno.test("S12 runPipeline() over backups stops before it reads anything when the ledger is contradicted", async () => {
  await using world = await contradicted();
  const ledger = JSON.stringify(world.fs.tree(MANIFEST_ROOT));
  let opened = 0;
  world.fs.fault = ({ operation, path }) => {
    if (/^(openRead|readDir)$/.test(operation) && /\/(old|middle|young)\//.test(path)) opened++;
  };
  const report = await cleanup(world);
  assert.deepEqual(meets(report), [1, "ledger/contradicted"]);
  assert.deepEqual([report.items, opened], [[], 0]);
  assert.deepEqual(onNas(world), ["middle", "old", "young"]);
  assert.equal(JSON.stringify(world.fs.tree(MANIFEST_ROOT)), ledger);
});

Deno.test("S12 S17 runPipeline() ends a dry run with a contradicted ledger as the real one, and writes nothing", async () => {
  for (const pct of [70, 100]) {
    await using world = await contradicted({ config: `[cleanup]\nfree_threshold_pct = ${pct}\n` });
    world.study("other", studyOf(10));
    const before = [JSON.stringify(world.fs.tree("/")), [...world.store.objects.keys()].join()];
    assert.deepEqual(meets(await cleanup(world, { dryRun: true })), [1, "ledger/contradicted"], `${pct} %`);
    assert.deepEqual(meets(await world.run({ dryRun: true })), [1, "ledger/contradicted"], `${pct} %`);
    assert.deepEqual([JSON.stringify(world.fs.tree("/")), [...world.store.objects.keys()].join()], before);
  }
});

Deno.test("S11 S17 runPipeline() ends a dry run with 2 while another run holds the NAS, whatever it finds besides", async () => {
  for (const pct of [80, 100]) {
    await using world = await backedUp(STUDIES, {
      nasBytes: 8 * MIB,
      config: `[cleanup]\nfree_threshold_pct = ${pct}\n`,
    });
    let dry: RunReport | undefined, isIn = false;
    world.store.hooks.before = async ({ key }) => {
      if (isIn || !key?.endsWith("image.bin")) return;
      isIn = true;
      dry = await cleanup(world, { host: "instrument-2", dryRun: true });
    };
    await cleanup(world);
    assert.deepEqual(dry && meets(dry), [2, "lock/run-held"], `${pct} %`);
    assert.ok((dry?.items.length ?? 0) > 0, "it plans on");
  }
});
