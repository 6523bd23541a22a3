/** What the checks of the suite share: runs, and what counts as their end. @module */
import assert from "node:assert/strict";
import type { AnyStage } from "../core/contract.ts";
import type { RunReport, StageReport } from "../core/run/report.ts";
import type { ConformanceOptions } from "./conformance.ts";
import { openSetting, SUBJECT } from "./stage_setting.ts";
import { MANIFEST_ROOT, STATE_ROOT, type World } from "./world.ts";

/** What a check says of the stage, and the check. */
export type NamedCheck = readonly [says: string, fn: () => Promise<void>];

/** The world of a setting. A second argument stands in for the stage itself: the same stage, watched. */
export function openWorld(plugin: AnyStage, options: ConformanceOptions): Promise<World> {
  return openSetting(plugin, options);
}

/** What a run leaves, without the engine's own files, stamps and state: the data, and the events for people. */
export async function endState(world: World): Promise<unknown> {
  const files = Object.entries(world.fs.tree("/")).filter(([path]) => !isEngines(path));
  const queued = await world.journal.outbox.pending();
  return {
    files: Object.fromEntries(files),
    bucket: Object.keys(world.objects()).sort(),
    events: queued.map(({ event, data }) => ({ event, data })),
  };
}

function isEngines(path: string): boolean {
  return path.startsWith(STATE_ROOT) || path.startsWith(MANIFEST_ROOT) ||
    path.split("/").some((part) => part.startsWith(".labferry") || part === ".cleanup.lock");
}

/** Everything there is, down to the engine's own files. */
export async function snapshot(world: World): Promise<unknown> {
  return {
    files: world.fs.tree("/"),
    objects: [...world.store.objects].map(([key, object]) => [key, object.etag]),
    events: await world.journal.outbox.pending(),
  };
}

/** The stage's line of the report. */
export function subjectOf(report: RunReport): StageReport {
  const found = report.items[0]?.stages.find((stage) => stage.id === SUBJECT);
  assert.ok(found, `no item came to the stage: ${JSON.stringify(report.error ?? report.items)}`);
  return found;
}

/** A run that ended as it should. */
export function assertEnded(report: RunReport, { exits = 0 }: Pick<ConformanceOptions, "exits">): void {
  assert.equal(report.exit_code, exits, `the run ended with ${JSON.stringify(report.error ?? report.items[0]?.error)}`);
}
