/** Event stages run in the in-memory world, over a list of events. */
import type { Item, Json, Plan, Plugin } from "../../core/contract.ts";
import type { ItemReport, RunReport } from "../../core/run/report.ts";
import { eventStage, listSource } from "../../testing/event_plugins.ts";
import { World } from "../../testing/world.ts";

export interface EventResult {
  report: RunReport;
  items: ItemReport[];
  /** The data of each item behind the stages; of those that came so far. */
  data: { [key: string]: Json }[];
  plans: Plan[];
  world: World;
}

/** Runs the stages, given as TOML tables without their header, over the events. The world is the caller's to dispose of. */
export async function runOver(
  events: readonly Item[],
  stages: readonly string[],
  options: { plugins?: readonly Plugin[]; world?: World; files?: Record<string, string>; dryRun?: boolean } = {},
): Promise<EventResult> {
  const data: { [key: string]: Json }[] = [];
  const look = eventStage("look", {
    async *plan(item) {
      data.push({ ...item.data });
      yield { kind: "skip", why: "only looking" };
    },
  }, { effect: "read" });
  const world = options.world ??
    await World.open({ plugins: [listSource(events).plugin, look, ...options.plugins ?? []] });
  if (options.files) world.fs.seed(options.files);
  const plans: Plan[] = [];
  const tables = [...stages, `use = "look"`].map((stage) => `[[stage]]\n${stage}\n`).join("");
  const report = await world.run({
    pipeline: `name = "events"\n[source]\nuse = "list"\n${tables}`,
    dryRun: options.dryRun,
    progress: { stagePlanned: (_item, _stage, plan) => void plans.push(plan) },
  });
  return { report, items: report.items, data, plans, world };
}
