/**
 * Runs one stage with the real engine in a world in memory, and says what came of it.
 * @module
 */
import type { AnyStage, Item, Json, Plan } from "../core/contract.ts";
import type { Evidence } from "../core/evidence.ts";
import type { ItemReport, ReportError, RunReport, StageOutcome, StageReport } from "../core/run/report.ts";
import type { LoggedLine } from "./doubles.ts";
import { eventStage } from "./event_plugins.ts";
import { inTime } from "./deadline.ts";
import { observed } from "./observed.ts";
import { openSetting, pipelineOf, type StageSetting, SUBJECT } from "./stage_setting.ts";
import type { World } from "./world.ts";

/** What a stage is run on, and how. */
export interface RunStageOptions extends StageSetting {
  /** A world that is there already, for a second run in it; it must be that of a result for the same stage. */
  world?: World;
  /** Only plan: nothing may change. */
  dryRun?: boolean;
  /** Repeat work that is done already. */
  force?: boolean;
}

/** What came of it. With several events, `stage`, `outcome` and `error` are those of the last. */
export interface StageResult {
  /** How the stage ended. */
  outcome: StageOutcome;
  /** Why it failed; also when a stage before it did. */
  error?: ReportError;
  /** The stage's line of the report: steps, files, bytes, ms. */
  stage: StageReport;
  /** The whole plan in order: steps, skips, drops, waits. */
  planned: Plan[];
  /** Summaries of the steps that were applied, in the order they ended. */
  applied: string[];
  /** Why something was not to be done. */
  skipped: string[];
  /** Evidence that stands behind the run, the stages before it included. */
  evidence: Evidence[];
  /** For stages of events: the data of each item that came through the stage, as it is behind it. */
  data: { [key: string]: Json }[];
  /** Lines of the log. */
  log: LoggedLine[];
  /** The whole report. */
  report: RunReport;
  /** The world as it is now, for a look at its files, or for a second run. */
  world: World;
}

const worlds = new WeakMap<World, { plugin: AnyStage; watch: (events: Watched) => void }>();

interface Watched {
  items: Map<string, Item>;
  planned: Plan[];
  applied: string[];
  data: { [key: string]: Json }[];
}

/** The stage behind one of events: it sees what the item carries by then. */
const LOOK = "look-behind";

/**
 * Runs a stage over one study (`STUDY`), or over events, by what it takes.
 * @throws {Error} if it is no stage, if lint refuses the pipeline, or if the run does not end in time, with words
 * @example A stage that says how many files a study has
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineStage, z } from "labferry";
 * import { runStage } from "labferry/testing";
 *
 * const count = defineStage({
 *   kind: "stage",
 *   name: "count",
 *   summary: "Counts files.",
 *   takes: "tree",
 *   effect: "read",
 *   resume: "redo",
 *   options: z.strictObject({}),
 *   example: `[[stage]]\nuse = "count"\n`,
 *   open: () => ({
 *     async *plan(_item, ctx) {
 *       let files = 0;
 *       for await (const entry of ctx.source.walk()) if (entry.kind === "file") files++;
 *       yield { kind: "skip", why: `${files} files` };
 *     },
 *     apply: () => Promise.resolve(),
 *   }),
 * });
 *
 * const { outcome, skipped } = await runStage(count, { files: { "a.txt": "alpha", "b/c.txt": "gamma" } });
 * assert.deepEqual([outcome, skipped], ["skipped", ["2 files"]]);
 * ```
 */
export function runStage(plugin: AnyStage, options: RunStageOptions = {}): Promise<StageResult> {
  return inTime(`stage "${plugin?.name}"`, options.deadlineMs, () => run(plugin, options));
}

async function run(plugin: AnyStage, options: RunStageOptions): Promise<StageResult> {
  const seen: Watched = { items: new Map(), planned: [], applied: [], data: [] };
  const world = options.world ?? await watchedWorld(plugin, options);
  const known = worlds.get(world);
  if (known?.plugin !== plugin) throw new TypeError("the world is that of another stage");
  known.watch(seen);
  if (options.exec) world.onExec = (argv) => options.exec?.(argv, world);
  const before = world.log.lines.length;
  const report = await world.run({
    pipeline: pipelineOf(plugin, options) + (plugin.takes === "event" ? `[[stage]]\nuse = "${LOOK}"\n` : ""),
    dryRun: options.dryRun,
    force: options.force ? true : undefined,
  });
  const last = report.items.at(-1);
  return {
    ...outcomeOf(report, last),
    planned: seen.planned,
    applied: seen.applied,
    skipped: seen.planned.flatMap((plan) => plan.kind === "skip" ? [plan.why] : []),
    evidence: await evidenceOf(world, [...seen.items.keys()]),
    data: seen.data,
    log: world.log.lines.slice(before),
    report,
    world,
  };
}

async function watchedWorld(plugin: AnyStage, options: RunStageOptions): Promise<World> {
  let seen: Watched | undefined;
  const look = eventStage(LOOK, {
    async *plan(item) {
      seen?.data.push(structuredClone(item.data));
      yield { kind: "skip", why: "only looking" };
    },
  }, { effect: "read" });
  const world = await openSetting(
    observed(plugin, {
      planning: (item) => void seen?.items.set(item.id, item),
      planned: (plan) => void seen?.planned.push(plan),
      async apply(step, act) {
        await act();
        seen?.applied.push(step.summary);
      },
    }),
    { ...options, plugins: [...options.plugins ?? [], look] },
  );
  worlds.set(world, { plugin, watch: (events) => void (seen = events) });
  return world;
}

function outcomeOf(
  report: RunReport,
  item: ItemReport | undefined,
): Pick<StageResult, "outcome" | "error" | "stage"> {
  const stage = item?.stages.find(({ id }) => id === SUBJECT) ?? {
    id: SUBJECT,
    use: "",
    outcome: "not-reached",
    applied: 0,
    skipped: 0,
    files: 0,
    bytes: 0,
    ms: 0,
  };
  const error = item?.error ?? report.error;
  return { outcome: stage.outcome, stage, ...error === undefined ? {} : { error } };
}

/** Evidence of these items at every place, by place and path. */
export async function evidenceOf(world: World, items: readonly string[]): Promise<Evidence[]> {
  const { evidence } = world.journal;
  const found: Evidence[] = [];
  for (const item of items) {
    for (const place of await evidence.places(item)) found.push(...await Array.fromAsync(evidence.list(item, place)));
  }
  return found;
}
