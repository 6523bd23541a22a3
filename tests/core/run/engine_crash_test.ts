import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { stepper } from "../../../testing/crash.ts";
import type { MemoryStoreOptions } from "../../../testing/memory_object_store.ts";
import type { Unflushed } from "../../../testing/memory_file_system.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

const SMALL: Study = { "a.txt": "alpha", "Scan1/b ü.bin": "beta", "Scan1/empty": "" };
const LARGE: Study = { "one.qptiff": patternBytes(1_100_000, 3), "Scan1/two.qptiff": patternBytes(6 * 2 ** 20, 4) };

type Study = Record<string, string | Uint8Array>;

/** What is left of the journal after the crash. */
const JOURNALS = ["kept", "lost", "older"] as const;

/** What the disks lose of what was not flushed: nothing (a killed process), everything, file contents, names. */
const LOSSES: Record<string, (what: Unflushed) => boolean | "zeros"> = {
  nothing: () => false,
  everything: () => true,
  contents: (what) => what.kind === "content" ? "zeros" : false,
  names: (what) => what.kind === "names",
};

/** Stores that keep what they promise in different ways. */
const STORES: MemoryStoreOptions[] = [{}, { checksums: false }, { versioned: true }, { putIfAbsent: false }];

interface Crash {
  study: Study;
  at: number;
  /** The run after the crash crashes too, at this step. */
  again?: number;
  store: MemoryStoreOptions;
  journal: typeof JOURNALS[number];
  loses: string;
  tickMs: number;
}

Deno.test("S22 a crash at any step of a small study loses nothing, claims nothing in vain, and the next run ends it", async () => {
  await crashEverywhere(SMALL, { budgetMs: 45_000 });
});

Deno.test("S22 a crash at any step of large files, in parts, does the same", async () => {
  await crashEverywhere(LARGE, { budgetMs: 15_000 });
});

/** A machine so slow that it does not get as far shows nothing. */
const FEWEST = 8;

/** A single hole shows at many steps; these are enough to find it. */
const MOST_FAILURES = 10;

/** Crashes at every step, or evenly over all steps as far as the time goes. */
async function crashEverywhere(study: Study, { budgetMs }: { budgetMs: number }): Promise<void> {
  const clean = await cleanRun(study);
  const end = performance.now() + budgetMs;
  const seen = new Set<number>();
  const failures: string[] = [];
  for (let stride = 2 ** Math.ceil(Math.log2(clean.steps)); stride >= 1; stride /= 2) {
    for (let at = 1; at <= clean.steps; at += stride) {
      // However busy the machine is, the fewest are tried.
      if (seen.has(at) || (performance.now() > end && seen.size >= FEWEST)) continue;
      seen.add(at);
      const names = Object.keys(LOSSES);
      const crash: Crash = {
        study,
        at,
        again: seen.size % 4 === 3 ? 1 + (at * 7919) % clean.steps : undefined,
        store: STORES[Math.floor(seen.size / 5) % STORES.length],
        journal: JOURNALS[seen.size % 3],
        loses: names[Math.floor(seen.size / 3) % names.length],
        tickMs: seen.size % 2 === 0 ? 7 : 0,
      };
      await crashOnce(crash, clean.end).catch((error) => failures.push(error.message));
      if (failures.length >= MOST_FAILURES) break;
    }
  }
  assert.equal(failures.length, 0, failures.join("\n"));
  assert.ok(seen.size >= FEWEST, `only ${seen.size} of ${clean.steps} steps were tried`);
}

async function cleanRun(study: Study): Promise<{ steps: number; end: object }> {
  await using world = await World.open();
  world.study("study1", study);
  const steps = stepper(world);
  const report = await world.run({ wrap: steps.wrap });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error ?? report.items));
  return { steps: steps.count, end: await endState(world) };
}

async function crashOnce(crash: Crash, end: object): Promise<void> {
  await using world = await World.open({ store: crash.store });
  await using older = await openMemoryJournal();
  world.study("study1", crash.study);
  const steps = stepper(world, {
    crashAt: crash.at,
    tickMs: crash.tickMs,
    older: { journal: older, until: Math.floor(crash.at / 2) },
  });
  const about = () => `${JSON.stringify({ ...crash, study: undefined })}, at ${steps.last}`;
  await world.run({ wrap: steps.wrap }).catch(() => {}); // the machine is off: how the process ended tells nothing
  steps.restart(LOSSES[crash.loses]);
  world.clock.time += 3_600_000;
  if (crash.journal === "lost") await world.loseJournal();
  if (crash.journal === "older") world.journal = older;
  await assertNothingLost(world, crash.study, about);
  const failures: string[] = [];
  if (crash.again !== undefined) {
    const second = stepper(world, { crashAt: crash.again, tickMs: crash.tickMs });
    await world.run({ wrap: second.wrap }).catch(() => {}); // as above
    second.restart(LOSSES[crash.loses]);
    world.clock.time += 3_600_000;
    await assertNothingLost(world, crash.study, about);
  }
  for (let run = 1; run <= 3; run++) {
    const report = await world.run();
    await assertNothingLost(world, crash.study, about);
    if (report.exit_code === 0) break;
    failures.push(JSON.stringify(report.error ?? report.items.map((item) => item.error)));
  }
  assert.deepEqual(await endState(world), end, `${about()}: ${failures.join("; ")}`);
}

/** What must be the same after a crash and without one. */
async function endState(world: World): Promise<object> {
  const record = (await world.ledger()).get("study1");
  return {
    source: world.files(SOURCE_ROOT),
    nas: digests(world.files(NAS_ROOT)),
    leftOver: Object.keys(world.fs.tree(NAS_ROOT)).filter((path) => path.includes("labferry-tmp")),
    bucket: digests(world.objects()),
    status: record?.status,
    deleted: record?.source_deleted_at !== null,
    files: record?.file_count,
    bytes: record?.total_bytes,
    sidecar: record?.sidecar_sha256,
  };
}

function digests(files: Record<string, string | Uint8Array>): Record<string, number> {
  const sizes = Object.entries(files).map(([path, content]) => [path, content.length]);
  return Object.fromEntries(sizes.sort());
}

/** What must hold after any crash, before and between further runs. */
async function assertNothingLost(world: World, study: Study, about: () => string): Promise<void> {
  const roots = [`${SOURCE_ROOT}/study1`, `${NAS_ROOT}/study1`];
  const objects = world.objects();
  const record = (await world.ledger()).get("study1");
  const complete = record?.status === "complete";
  for (const [path, content] of Object.entries(study)) {
    const wanted = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const [atSource, atNas] = roots.map((root) => bytesAt(world, `${root}/${path}`));
    const inBucket = objects[`study1/${path}`];
    if (atNas) assert.ok(equal(atNas, wanted), `${about()}: ${path} at the NAS is not the study's`);
    if (inBucket) assert.ok(equal(inBucket, wanted), `${about()}: ${path} in the bucket is not the study's`);
    if (atSource) assert.ok(equal(atSource, wanted), `${about()}: ${path} at the source was changed`);
    assert.ok(atSource ?? (atNas && inBucket), `${about()}: ${path} is not at the source, and not at both places`);
    if (complete) {
      assert.ok(atNas && inBucket, `${about()}: the ledger says complete, and ${path} is not at both places`);
    }
  }
  if (record?.source_deleted_at) {
    assert.equal(
      world.fs.disk.lstat(roots[0]),
      undefined,
      `${about()}: the ledger says deleted, and the folder is there`,
    );
  }
}

function bytesAt(world: World, path: string): Uint8Array | undefined {
  return world.fs.disk.lstat(path) === undefined ? undefined : world.fs.bytes(path);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
