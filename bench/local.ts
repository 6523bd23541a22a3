/**
 * Copy, verify and sidecar of local trees against `rclone copy` + `rclone check` + `rclone hashsum sha256`, in turns:
 * `deno run -A bench/local.ts [--quick] [--large 4x1GiB] [--small 20000x16KiB] [--rounds 3] [--mode cached,cold]
 * [--dir SCRATCH] [--program PATH] [--check] [--json]`.
 *
 * `cached`: caches are left as they are, and neither side flushes (`durability = "cached"`). `cold`: the caches are
 * dropped before every read; rclone's copy is followed by a timed `sync`, ours flushes as it always does and reads back
 * from the medium.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { type BenchReport, type Contestant, formatReport, interleave, ratio } from "./peers/compare.ts";
import { canDropCaches, describeMachine, dropCaches, syncDisks } from "./peers/machine.ts";
import { measure } from "./peers/process.ts";
import { findRclone, RCLONE_VERSION, runRclone } from "./peers/rclone.ts";
import { makeTree, parseShape, type TreeShape } from "./peers/trees.ts";
import { labferry } from "./startup.ts";

const DAY_MS = 86_400_000;
const STUDY = "20260115_bench_tree_a";

type Mode = "cached" | "cold";

interface Bench {
  name: string;
  shape: TreeShape;
  /** How many times as fast as rclone ours must be (DESIGN 7); none for trees too small to say. */
  budget?: number;
}

interface Options {
  benches: Bench[];
  modes: Mode[];
  rounds: number;
  scratch: string;
  program?: string;
  log: (line: string) => void;
}

/** Returns the pipeline that does what the three rclone commands do, and its configuration. */
export function benchPipeline(folders: { source: string; target: string; manifests: string }, mode: Mode): {
  config: string;
  pipeline: string;
} {
  const text = JSON.stringify;
  return {
    config: `[paths]\nsource_root = ${text(folders.source)}\ntruenas_root = ${text(folders.target)}\n` +
      `manifest_root = ${text(folders.manifests)}\n\n[backup]\nidle_days = 14\nsettle_minutes = 0\n`,
    pipeline: `name = "bench"\nsummary = "Copy, verify and seal local trees"\n\n[source]\nuse = "idle-folders"\n` +
      'with = { root = "${paths.source_root}", idle = "14d" }\n\n[[stage]]\nuse = "lock"\n\n' +
      `[[stage]]\nuse = "copy"\nid = "truenas"\n` +
      `with = { to = "\${paths.truenas_root}"${mode === "cached" ? ', durability = "cached"' : ""} }\n\n` +
      '[[stage]]\nuse = "verify"\nwith = { place = "truenas" }\n\n' +
      '[[stage]]\nuse = "checksum-sidecar"\nwith = { place = "truenas" }\n',
  };
}

/** A scratch world for one run of ours: fresh places, configuration and state, marked as places. */
async function freshWorld(base: string, source: string, options: { mode: Mode; program?: string }) {
  await removeTree(base);
  const folders = { source, target: join(base, "truenas"), manifests: join(base, "manifests") };
  const settings = join(base, "config");
  await Deno.mkdir(join(settings, "pipelines"), { recursive: true });
  await Deno.mkdir(folders.target);
  await Deno.mkdir(folders.manifests);
  const { config, pipeline } = benchPipeline(folders, options.mode);
  await Deno.writeTextFile(join(settings, "config.toml"), config);
  await Deno.writeTextFile(join(settings, "pipelines", "bench.toml"), pipeline);
  const env = { LABFERRY_STATE_DIR: join(base, "state"), NO_COLOR: "1" };
  const command = (
    ...args: string[]
  ) => [...labferry(options.program), ...args, "--config", join(settings, "config.toml")];
  await measure(command("install", "places"), { env });
  return { env, target: folders.target, run: command("run", "bench", "--json") };
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Fails unless our report says that every file was copied, proved and listed. A benchmark of nothing is fast. */
async function assertDone(stdout: string, target: string, sums: string, shape: TreeShape): Promise<void> {
  const report = JSON.parse(stdout) as { exit_code: number; items: { outcome: string }[] };
  if (report.exit_code !== 0 || report.items.length !== 1 || report.items[0].outcome !== "done") {
    throw new Error(`The run did not finish its one item: ${stdout.slice(0, 500)}`);
  }
  const ours = (await Deno.readTextFile(join(target, STUDY, "_checksums.sha256"))).trim().split("\n").sort();
  if (ours.length !== shape.files) throw new Error(`The sidecar lists ${ours.length} of ${shape.files} files`);
  const theirs = (await Deno.readTextFile(sums)).trim().split("\n").sort();
  if (ours.join("\n") !== theirs.join("\n")) throw new Error("The sidecar and rclone's hashes differ");
}

async function runCase(bench: Bench, mode: Mode, source: string, rclone: string, options: Options) {
  const base = join(options.scratch, "run");
  const sums = join(options.scratch, "rclone.sha256");
  const copied = join(options.scratch, "rclone-copy");
  const cold = mode === "cold";
  const between = cold ? dropCaches : undefined;
  // What the one before left to be written must not be charged to the next.
  const settle = cold ? dropCaches : syncDisks;
  let world: Awaited<ReturnType<typeof freshWorld>> | undefined;
  const peer: Contestant = {
    name: `rclone ${RCLONE_VERSION} copy+check+hashsum`,
    async prepare() {
      await removeTree(copied);
      await settle();
    },
    run: () =>
      runRclone({ program: rclone, from: join(source, STUDY), to: copied, sums }, {
        between,
        after: cold ? syncDisks : undefined,
      }),
  };
  const ours: Contestant = {
    name: "labferry copy+verify+sidecar",
    async prepare() {
      world = await freshWorld(base, source, { mode, program: options.program });
      await settle();
    },
    async run() {
      const sample = await measure(world!.run, { env: world!.env });
      await assertDone(sample.stdout, world!.target, sums, bench.shape);
      return sample;
    },
  };
  // Nobody is the first to read the tree: in the cached mode it would pay for the cache that the others use.
  if (!cold) await peer.prepare!().then(() => peer.run());
  const results = await interleave([peer, ours], {
    rounds: options.rounds,
    onSample: (name, sample) => options.log(`  ${bench.name}, ${mode}: ${name} ${(sample.ms / 1000).toFixed(2)} s`),
  });
  await removeTree(base);
  await removeTree(copied);
  const [theirs, own] = results;
  const found = ratio(own, theirs);
  const peak = own.peakBytes;
  return {
    results: { case: `${bench.name}, ${mode}`, results },
    verdicts: [
      ...(bench.budget === undefined ? [] : [{
        what: `${bench.name}, ${mode}`,
        wanted: `at least ${bench.budget} times as fast as rclone`,
        measured: `${found.toFixed(2)} times`,
        ok: found >= bench.budget,
      }]),
      ...(peak === null ? [] : [{
        what: `${bench.name}, ${mode}: memory`,
        wanted: "at most 300 MiB resident",
        measured: `${Math.round(peak / 2 ** 20)} MiB`,
        ok: peak <= 300 * 2 ** 20,
      }]),
    ],
  };
}

/** Measures all cases. The scratch folder must be empty; it is left empty. */
export async function measureLocal(options: Options): Promise<BenchReport> {
  const report: BenchReport = { bench: "local", results: [], verdicts: [] };
  const rclone = await findRclone();
  for (const bench of options.benches) {
    const source = join(options.scratch, "source");
    await makeTree(join(source, STUDY), bench.shape, 60 * DAY_MS);
    await syncDisks();
    for (const mode of options.modes) {
      const { results, verdicts } = await runCase(bench, mode, source, rclone, options);
      report.results.push(results);
      report.verdicts.push(...verdicts);
    }
    await removeTree(source);
  }
  return report;
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs([...args], {
    string: ["large", "small", "rounds", "mode", "dir", "program"],
    boolean: ["quick", "check", "json"],
  });
  const quick = flags.quick === true;
  const log = (line: string) => console.error(line);
  const modes = String(flags.mode ?? "cached,cold").split(",") as Mode[];
  const scratch = await Deno.makeTempDir({ prefix: "labferry-bench-", dir: flags.dir as string | undefined });
  const stop = () => {
    // Gigabytes must not stay behind when somebody has seen enough.
    Deno.removeSync(scratch, { recursive: true });
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", stop);
  try {
    const canDrop = await canDropCaches();
    if (!canDrop && modes.includes("cold")) log("cold: left out, the page cache can be dropped only by root on Linux");
    const shape = (text: unknown, full: string, small: string) => parseShape(String(text ?? (quick ? small : full)));
    const large = shape(flags.large, "4x1GiB", "4x64MiB");
    const small = shape(flags.small, "20000x16KiB", "2000x16KiB");
    const report = await measureLocal({
      benches: [
        { name: "large files", shape: large, budget: quick ? undefined : 3 },
        { name: "small files", shape: small, budget: quick ? undefined : 1.8 },
      ],
      modes: modes.filter((mode) => mode === "cached" || canDrop),
      rounds: Number(flags.rounds ?? (quick ? 1 : 3)),
      scratch,
      program: flags.program as string | undefined,
      log,
    });
    if (flags.json) console.log(JSON.stringify({ ...report, machine: await describeMachine(scratch) }));
    else console.log(`${formatReport(report)}\n${JSON.stringify(await describeMachine(scratch))}`);
    return flags.check && report.verdicts.some((verdict) => !verdict.ok) ? 1 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
    await removeTree(scratch);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
