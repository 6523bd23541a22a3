/**
 * What every stage must be, whatever it does: one suite, run over each registered stage in the in-memory world.
 * @module
 */
import assert from "node:assert/strict";
import type { AnyStage, Plan } from "../core/contract.ts";
import { z } from "../core/options.ts";
import type { RunReport, StageReport } from "../core/run/report.ts";
import { CrashError } from "./memory_file_system.ts";
import { SOURCE_ROOT, World } from "./world.ts";

/** How a stage is put to work: the stages before it, and its own table of the pipeline file. */
export interface StageFixture {
  /** TOML of the stages it needs before it. */
  upstream: string;
  /** TOML of the stage; its id is `subject`. */
  stage: string;
  /** The stage takes backups: there is one, and it fills a quarter of the NAS. */
  overBackups?: true;
  /** Exit code of a run with these stages alone. Default: 0. */
  exits?: number;
}

const HEAD = `name = "conformance"\nsummary = "one stage"\n[source]\nuse = "idle-folders"\n` +
  `with = { root = "\${paths.source_root}", idle = "1d" }\n`;
/** A study every stage takes, the naming standard included. */
const NAME = "20260115_lin_tonsil_panel1";
const STUDY = {
  [`${NAME}.xpd`]: "alpha",
  [`${NAME}/Scan1/image.qptiff`]: "beta",
  [`${NAME}/Scan1/.temp/tile ü`]: "gamma",
  [`${NAME}/Scan1/empty`]: "",
};
const MAX_CRASHES = 40;
const LARGE = 2 ** 20;

/** Backups are yielded while less than this share of the NAS is free. */
const OVER_BACKUPS = HEAD.replace("idle-folders", "capacity")
  .replace(/with = .*/, `with = { place_root = "\${paths.truenas_root}", below = 90 }`);

async function worldWith({ overBackups }: StageFixture): Promise<World> {
  const world = await World.open(overBackups ? { nasBytes: 4 * LARGE } : {});
  world.study(NAME, overBackups ? { ...STUDY, "large.bin": new Uint8Array(LARGE) } : STUDY);
  if (overBackups) ok(await world.run());
  return world;
}

function head({ overBackups }: StageFixture): string {
  return overBackups ? OVER_BACKUPS : HEAD;
}

function text(fixture: StageFixture): string {
  return `${head(fixture)}${fixture.upstream}${fixture.stage}`;
}

function snapshot(world: World): string {
  const objects = [...world.store.objects].map(([key, object]) => [key, object.etag]);
  return JSON.stringify([world.fs.tree("/"), objects]);
}

/** What counts as the end state: the data, not the stamps of the ledger or of claims. */
function endState(world: World): unknown {
  return {
    source: world.files(SOURCE_ROOT),
    nas: world.files("/nas/backups"),
    bucket: Object.keys(world.objects()).sort(),
  };
}

function subject(report: RunReport): StageReport {
  const found = report.items[0]?.stages.find((stage) => stage.id === "subject");
  assert.ok(found, JSON.stringify(report.error ?? report.items));
  return found;
}

function ok(report: RunReport, { exits = 0 }: Pick<StageFixture, "exits"> = {}): void {
  assert.equal(report.exit_code, exits, JSON.stringify(report.error ?? report.items[0]?.error));
}

/** Registers the test of what a stage says of itself. */
export function testDescription(plugin: AnyStage): void {
  Deno.test(`stage ${plugin.name} describes itself`, () => {
    assert.match(plugin.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    assert.match(plugin.summary, /^[A-Z].*\.$/, "a summary is one sentence");
    assert.ok(plugin.example.includes(`"${plugin.name}"`), "the example uses the stage");
    const { properties = {} } = z.toJSONSchema(plugin.options, { io: "input", unrepresentable: "any" });
    for (const [key, schema] of Object.entries(properties)) {
      assert.match(key, /^[a-z][a-z0-9_]*$/, "option names are snake_case");
      const { description } = schema as { description?: string };
      assert.match(description ?? "", /^.+\.$/s, `option ${key} is described in a sentence`);
    }
  });
}

/** Registers the suite for one stage. */
export function testStage(plugin: AnyStage, fixture: StageFixture): void {
  const name = `stage ${plugin.name}`;
  testDescription(plugin);

  Deno.test(`${name} is accepted by lint as its fixture has it`, async () => {
    await using world = await worldWith(fixture);
    const { diagnostics } = world.compile(text(fixture));
    assert.deepEqual(diagnostics.filter((found) => found.severity === "error").map((found) => found.message), []);
  });

  Deno.test(`${name} plans the same steps twice and changes nothing by planning`, async () => {
    await using world = await worldWith(fixture);
    const plans: string[][] = [];
    const before = snapshot(world);
    for (let round = 0; round < 2; round++) {
      const ids: string[] = [];
      const stagePlanned = (_item: string, stage: string, plan: Plan) => {
        if (stage === "subject" && plan.kind === "todo") ids.push(plan.id);
      };
      ok(await world.run({ pipeline: text(fixture), dryRun: true, progress: { stagePlanned } }), fixture);
      plans.push(ids);
    }
    assert.deepEqual(plans[0], plans[1]);
    assert.equal(new Set(plans[0]).size, plans[0].length, "step ids are unique");
    assert.equal(snapshot(world), before);
  });

  Deno.test(`${name} run again leaves the same end state`, async () => {
    await using world = await worldWith(fixture);
    const first = await world.run({ pipeline: text(fixture) });
    ok(first, fixture);
    assert.notEqual(subject(first).outcome, "not-reached");
    const after = endState(world);
    ok(await world.run({ pipeline: text(fixture) }), fixture);
    assert.deepEqual(endState(world), after);
  });

  Deno.test(`${name} mints evidence only for facts it gives`, async () => {
    await using world = await worldWith(fixture);
    const declared = world.compile(text(fixture)).pipeline?.stages.find((stage) => stage.id === "subject")?.facts;
    const seen = await placesWithEvidence(world, fixture);
    const given = new Set((declared?.gives ?? []).map((fact) => fact.place ?? "source"));
    for (const place of seen.after.filter((id) => !seen.before.includes(id))) {
      assert.ok(given.has(place), `evidence at ${place} is not among what it gives`);
    }
  });

  Deno.test(`${name} crashed at any step and run again reaches the same end state`, async () => {
    await using clean = await worldWith(fixture);
    const before = clean.fs.calls;
    ok(await clean.run({ pipeline: text(fixture) }), fixture);
    const steps = clean.fs.calls - before;
    const wanted = endState(clean);
    const stride = Math.max(1, Math.floor(steps / MAX_CRASHES));
    for (let at = 1; at <= steps; at += stride) {
      await using world = await worldWith(fixture);
      const start = world.fs.calls;
      world.fs.fault = ({ count }) => {
        if (count - start >= at) throw new CrashError();
      };
      await world.run({ pipeline: text(fixture) });
      world.fs.fault = undefined;
      world.fs.crash();
      world.fs.restart();
      ok(await world.run({ pipeline: text(fixture) }), fixture);
      assert.deepEqual(endState(world), wanted, `crashed at step ${at} of ${steps}`);
    }
  });
}

async function placesWithEvidence(world: World, fixture: StageFixture): Promise<{ before: string[]; after: string[] }> {
  let incarnation = "";
  const stageFinished = () => {};
  const places = async () => incarnation === "" ? [] : await world.journal.evidence.places(incarnation);
  const put = world.journal.evidence.put.bind(world.journal.evidence);
  world.journal.evidence.put = async (id, evidence) => {
    incarnation = id;
    await put(id, evidence);
  };
  ok(
    await world.run({
      pipeline: `${head(fixture)}${fixture.upstream || '[[stage]]\nuse = "lock"\n'}`,
      progress: { stageFinished },
    }),
    fixture.overBackups ? { exits: 1 } : {},
  );
  const before = await places();
  ok(await world.run({ pipeline: text(fixture) }), fixture);
  return { before, after: await places() };
}
