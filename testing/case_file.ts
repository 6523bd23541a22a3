/**
 * Whole-pipeline cases as folders below `tests/cases/`: `case.toml` says what lies where, what happens in between, and
 * how everything must end; `pipeline.toml` beside it is the pipeline (the shipped `backup` without it).
 *
 * Paths in a case begin with the place: `source/…`, `nas/…` or `bucket/…`; file contents are text.
 * @module
 */
import assert from "node:assert/strict";
import { parse } from "@std/toml";
import { EMBEDDED_PRESETS } from "../core/pipeline/embedded_presets.ts";
import { z } from "../core/options.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "./world.ts";

const change = z.strictObject({
  /** Id of the stage after which it happens; without one, before the run. */
  after: z.string().optional(),
  write: z.record(z.string(), z.string()).default({}),
  remove: z.array(z.string()).default([]),
  /** Empties the place's folder, as an unmounted share shows itself. */
  unmount: z.boolean().default(false),
  lose_journal: z.boolean().default(false),
});

const CASE = z.strictObject({
  summary: z.string(),
  config: z.string().default(""),
  studies: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  run: z.array(z.strictObject({
    /** Days that pass before the run. */
    days_later: z.number().default(0),
    change: z.array(change).default([]),
    exit_code: z.number(),
    /** Outcome, stage and code of each item: `done`, or `failed truenas copy/conflict`. */
    items: z.record(z.string(), z.string()).default({}),
    error: z.string().optional(),
  })),
  end: z.strictObject({
    source: z.array(z.string()).default([]),
    nas: z.array(z.string()).default([]),
    bucket: z.array(z.string()).default([]),
    ledger: z.record(z.string(), z.string()).default({}),
  }),
});

type Case = z.output<typeof CASE>;
type Change = z.output<typeof change>;

/** Runs one case. */
export async function runCase(folder: string): Promise<void> {
  const text = await Deno.readTextFile(`${folder}/case.toml`);
  const spec = CASE.parse(parse(text));
  const pipeline = await Deno.readTextFile(`${folder}/pipeline.toml`).catch(() => EMBEDDED_PRESETS.backup);
  await using world = await World.open({ config: spec.config });
  for (const [name, files] of Object.entries(spec.studies)) world.study(name, files);
  for (const [index, run] of spec.run.entries()) {
    for (const happening of run.change.filter((candidate) => candidate.after === undefined)) {
      await happen(world, happening);
    }
    world.clock.time += run.days_later * 86_400_000;
    const report = await world.run({
      pipeline,
      progress: {
        stageFinished: (_item, stage) => {
          for (const happening of run.change) if (happening.after === stage) happenNow(world, happening);
        },
      },
    });
    const items: Record<string, string> = {};
    for (const item of report.items) {
      items[item.name] = [item.outcome, item.error?.stage, item.error?.code].filter((part) => part).join(" ");
    }
    const seen = { exit_code: report.exit_code, items, error: report.error?.code };
    assert.deepEqual(seen, { exit_code: run.exit_code, items: run.items, error: run.error }, `run ${index + 1}`);
  }
  assert.deepEqual(await endOf(world), spec.end);
}

async function endOf(world: World): Promise<Case["end"]> {
  const ledger: Record<string, string> = {};
  for (const [name, record] of await world.ledger()) {
    ledger[name] = record.source_deleted_at === null ? record.status : `${record.status} deleted`;
  }
  const files = (root: string) => Object.keys(world.files(root)).filter((path) => path !== "empty").sort();
  return { source: files(SOURCE_ROOT), nas: files(NAS_ROOT), bucket: Object.keys(world.objects()).sort(), ledger };
}

async function happen(world: World, happening: Change): Promise<void> {
  if (happening.lose_journal) await world.loseJournal();
  happenNow(world, happening);
}

function happenNow(world: World, happening: Change): void {
  if (happening.unmount) {
    world.fs.unmount("/nas");
    world.fs.disk.mkdir(NAS_ROOT);
  }
  for (const [path, content] of Object.entries(happening.write)) {
    const [place, rest] = split(path);
    if (place === "bucket") {
      const object = world.store.objects.get(`fusion/${rest}`);
      if (object) object.bytes = new TextEncoder().encode(content);
    } else world.fs.seed({ [`${rootOf(place)}/${rest}`]: content });
  }
  for (const path of happening.remove) {
    const [place, rest] = split(path);
    if (place === "bucket") world.store.objects.delete(`fusion/${rest}`);
    else world.fs.disk.removeFile(`${rootOf(place)}/${rest}`);
  }
}

function split(path: string): [place: string, rest: string] {
  const slash = path.indexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function rootOf(place: string): string {
  return place === "nas" ? NAS_ROOT : SOURCE_ROOT;
}
