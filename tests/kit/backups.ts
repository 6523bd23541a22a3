/** Worlds with complete backups, for the pipelines over them. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import type { RunReport } from "../../core/run/report.ts";
import { assertDone } from "./rules.ts";
import { NAS_ROOT, type RunOptions, World, type WorldOptions } from "../../testing/world.ts";

/** The shipped pipeline. */
export const CLEANUP = EMBEDDED_PRESETS.cleanup;

/** Whatever is free, it is not enough. */
export const EVICT_ALL = "[cleanup]\nfree_threshold_pct = 100\n";

export type Study = Record<string, string | Uint8Array>;

/** A study of one file of this many bytes below a folder, and a small one. */
export function studyOf(bytes: number, fill = "x"): Study {
  return { "Scan1/image.bin": fill.repeat(bytes), "note.txt": `of ${bytes} bytes` };
}

/** A world in which these studies were backed up, an hour apart, in this order. */
export async function backedUp(studies: Record<string, Study>, options: WorldOptions = {}): Promise<World> {
  const world = await World.open(options);
  for (const [name, files] of Object.entries(studies)) {
    world.study(name, files);
    assertDone(await world.run());
    world.clock.time += 3_600_000;
  }
  return world;
}

export function cleanup(world: World, options: RunOptions = {}): Promise<RunReport> {
  return world.run({ pipeline: CLEANUP, ...options });
}

/** Names of the studies on the NAS. */
export function onNas(world: World): string[] {
  return [...new Set(Object.keys(world.files(NAS_ROOT)).map((path) => path.split("/")[0]))].sort();
}

/** The bucket without what the ledger's mirror keeps there. */
export function bucketOf(world: World): [string, string, string][] {
  return [...world.store.objects].filter(([key]) => !key.includes("/_manifests/") && !key.includes("/_probe/"))
    .map(([key, { etag, bytes }]): [string, string, string] => [key, etag, hash("sha256", bytes)]).sort();
}

/** Whether the study is whole on the NAS, its list of checksums included. */
export function assertOnNas(world: World, name: string, study: Study): void {
  const found = world.files(`${NAS_ROOT}/${name}`);
  for (const [path, content] of Object.entries(study)) assert.equal(found[path], content, `${name}/${path}`);
  assert.ok(found["_checksums.sha256"], `${name}: its list of checksums`);
}
