/** What the tests of the rules share: acts at a moment of a run, and words for what came of it. */
import assert from "node:assert/strict";
import type { RunReport } from "../../core/run/report.ts";
import { CrashError } from "../../testing/memory_file_system.ts";
import { MANIFEST_ROOT, NAS_ROOT, type RunOptions, SOURCE_ROOT, World } from "../../testing/world.ts";

export const AT_SOURCE = `${SOURCE_ROOT}/study1`;
export const AT_NAS = `${NAS_ROOT}/study1`;

/** Three files, one below a folder. */
export const FILES: Record<string, string> = { "a.txt": "alpha", "b.txt": "beta", "Scan1/c.bin": "gamma" };

/** As many small files as more than one batch of a destroy holds. */
export function manyFiles(count = 1010): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${String(i).padStart(5, "0")}`, `bytes ${i}`]));
}

/** A world with `study1` in it. */
export async function worldWith(
  files: Record<string, string | Uint8Array> = FILES,
  options?: Parameters<typeof World.open>[0],
): Promise<World> {
  const world = await World.open(options);
  world.study("study1", files);
  return world;
}

/** Runs, and does something right after a stage ended. */
export function runAndAfter(
  world: World,
  stage: string,
  act: () => void,
  options: RunOptions = {},
): Promise<RunReport> {
  let done = false;
  return world.run({
    ...options,
    progress: {
      stageFinished(_item, finished) {
        if (finished === stage && !done) act();
        if (finished === stage) done = true;
      },
    },
  });
}

/** Runs, and does something right before the n-th removal of a file at the source (locks apart). */
export async function runAndBeforeRemoval(
  world: World,
  nth: number,
  act: () => void | Promise<void>,
  options: RunOptions = {},
): Promise<RunReport> {
  let removals = 0, acting = false;
  world.fs.fault = ({ operation, path }) => {
    if (acting || operation !== "removeFile" || !path.startsWith(`${SOURCE_ROOT}/`) || path.includes(".labferry")) {
      return;
    }
    if (++removals !== nth) return;
    acting = true;
    try {
      act();
    } finally {
      acting = false;
    }
    if (world.fs.disk.crashed) throw new CrashError();
  };
  try {
    return await world.run(options);
  } finally {
    world.fs.fault = undefined;
  }
}

/** Writes over a file in place: its inode stays. */
export function rewrite(world: World, path: string, content: string, mtimeMs?: number): void {
  const handle = world.fs.disk.openReadWrite(path);
  handle.truncate(0);
  handle.write(new TextEncoder().encode(content));
  if (mtimeMs !== undefined) handle.setMtime(mtimeMs);
  handle.sync();
  handle.close();
}

/** The error code of the study (or of the run), with the whole report in the message if it is another. */
export function assertFailed(report: RunReport, code: string, name = "study1"): void {
  const item = report.items.find((found) => found.name === name);
  const found = item?.error?.code ?? report.error?.code;
  assert.equal(found, code, JSON.stringify(item?.error ?? report.error ?? report));
  assert.equal(report.exit_code, 1);
}

export function assertDone(report: RunReport): void {
  assert.equal(report.exit_code, 0, JSON.stringify(report.error ?? report.items.map((item) => item.error)));
}

/** Everything of the world as one value: all four roots, the bucket with its metadata, uploads under way. */
export function everything(world: World): object {
  const objects = [...world.store.objects].map(([key, { bytes, etag, metadata }]) => [key, [...bytes], etag, metadata]);
  return { files: world.fs.tree("/"), objects: objects.sort(), uploads: [...world.store.uploads.keys()] };
}

/** What lies under the study's name at both places, and in the ledger. */
export function archived(world: World): object {
  return {
    nas: world.fs.tree(NAS_ROOT),
    objects: Object.fromEntries(Object.entries(world.objects()).map(([key, bytes]) => [key, String(bytes)])),
    ledger: world.fs.tree(MANIFEST_ROOT),
  };
}

/** Asserts that the study is still whole at the source. */
export function assertSourceWhole(world: World, files: Record<string, string> = FILES, name = "study1"): void {
  const found = world.files(`${SOURCE_ROOT}/${name}`);
  for (const [path, content] of Object.entries(files)) assert.equal(found[path], content, path);
}
