/** A pipeline of a few stages over one study in the in-memory world, for the tests of single stages. */
import assert from "node:assert/strict";
import type { ItemReport, RunReport, StageReport } from "../../core/run/report.ts";
import { World } from "../../testing/world.ts";
import type { WorldOptions } from "../../testing/world.ts";

export const STUDY = "study1";
export const FILES = { "a.txt": "alpha", "Scan1/b ü.bin": "beta", "Scan1/empty": "" };

export const LOCK = `[[stage]]\nuse = "lock"\n`;
export const COPY = `[[stage]]\nuse = "copy"\nid = "truenas"\nwith = { to = "\${paths.truenas_root}" }\n`;
export const VERIFY = `[[stage]]\nuse = "verify"\nwith = { place = "truenas" }\n`;
export const SIDECAR = `[[stage]]\nuse = "checksum-sidecar"\nwith = { place = "truenas" }\n`;
export const S3 =
  `[[stage]]\nuse = "s3-upload"\nid = "s3"\nwith = { bucket = "archive", prefix = "fusion", part = "5 MiB" }\n`;
export const RECORD = `[[stage]]\nuse = "manifest-append"\nid = "record"\nwith = { status = "complete" }\n`;
export const FAILED = `[[on_item_failed]]\nuse = "manifest-append"\nwith = { status = "failed" }\n`;

/** The text of a pipeline with these stages. */
export function pipelineOf(...stages: string[]): string {
  return `name = "test"\nsummary = "a test"\n[source]\nuse = "idle-folders"\n` +
    `with = { root = "\${paths.source_root}", idle = "1d" }\n${stages.join("")}`;
}

/** A world with one study on the instrument. */
export async function studyWorld(options: WorldOptions = {}): Promise<World> {
  const world = await World.open(options);
  world.study(STUDY, FILES);
  return world;
}

export function itemOf(report: RunReport): ItemReport {
  assert.equal(report.items.length, 1, JSON.stringify(report.error));
  return report.items[0];
}

export function stageOf(report: RunReport, id: string): StageReport {
  const stage = itemOf(report).stages.find((candidate) => candidate.id === id);
  assert.ok(stage, `stage ${id}`);
  return stage;
}

export function assertDone(report: RunReport): void {
  assert.equal(report.exit_code, 0, JSON.stringify(report.error ?? report.items[0]?.error));
}
