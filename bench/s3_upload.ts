/**
 * Uploads against rclone with the same parallelism and part size, in turns, to a store that runs:
 * `deno run -A bench/s3_upload.ts [--quick] [--endpoint http://127.0.0.1:7480] [--large 1x256MiB] [--small 2000x16KiB]
 * [--part 8MiB] [--parallel 4] [--small-parallel 8] [--verify none,auto] [--rounds 3] [--check] [--json]`.
 *
 * Without a store at the endpoint nothing is measured. A radosgw keeps what is deleted for two hours, and one in memory
 * that is full hangs: it needs 4 GiB free, or `radosgw-admin gc process --include-all` between runs. Ours gets the
 * SHA-256 of the files, as from the stages before it. With `verify = none` both sides send the bytes; rclone also asks
 * for each object once, ours only where the store's answer gave no ETag. With `auto` ours also proves them.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { systemClock } from "../core/io/clock.ts";
import type { UploadSettings } from "../core/contract.ts";
import type { OpenUpload, ProbeStore, UploadStore } from "../core/journal/journal.ts";
import { openObjects } from "../core/objects/session.ts";
import type { UploadSource } from "../core/objects/source.ts";
import { uploadMany, type UploadRequest } from "../core/objects/upload.ts";
import { s3 } from "../plugins/stores/s3.ts";
import { type BenchReport, type Contestant, formatReport, interleave, ratio } from "./peers/compare.ts";
import { measure } from "./peers/process.ts";
import { findRclone, RCLONE_VERSION } from "./peers/rclone.ts";
import { makeTree, parseShape, treePath, type TreeShape } from "./peers/trees.ts";

const BUCKET = "labferry-bench";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "SECRETTEST", AWS_EC2_METADATA_DISABLED: "true" };

interface Case {
  name: string;
  shape: TreeShape;
  parallel: number;
  /** How many times as fast as rclone ours must be (DESIGN 7). */
  budget: number;
}

/** What a child process uploads. */
interface Job extends Pick<UploadSettings, "verify" | "partSize" | "parallel"> {
  tree: string;
  endpoint: string;
  prefix: string;
  files: { path: string; size: number; sha256: string }[];
  /** File of what the store was probed for: once in 30 days, not once a measurement. */
  verdicts: string;
}

function fileOf(path: string, size: number): UploadSource {
  const identity = (stat: Deno.FileInfo) => ({
    dev: stat.dev,
    ino: stat.ino,
    size: stat.size,
    mtimeMs: stat.mtime?.getTime() ?? null,
    ctimeMs: stat.ctime?.getTime() ?? null,
  });
  return {
    name: path,
    size,
    stat: async () => identity(await Deno.lstat(path)),
    open: async () => {
      const file = await Deno.open(path);
      return {
        read: async (buffer) => await file.read(buffer) ?? 0,
        stat: async () => identity(await file.stat()),
        [Symbol.asyncDispose]: () => Promise.resolve(file.close()),
      };
    },
  };
}

async function fileProbes(path: string): Promise<ProbeStore> {
  const text = await Deno.readTextFile(path).catch(() => "{}");
  const rows: Record<string, { holds: boolean; at: string }> = JSON.parse(text);
  return {
    get: (_store, operation) => Promise.resolve(rows[operation]),
    set: async (_store, operation, holds, at) => {
      rows[operation] = { holds, at };
      await Deno.writeTextFile(path, JSON.stringify(rows));
    },
  };
}

function uploadsInMemory(): UploadStore {
  const rows = new Map<string, OpenUpload>();
  return {
    put: (row) => Promise.resolve(void rows.set(row.key, row)),
    touch: () => Promise.resolve(),
    get: (_store, key) => Promise.resolve(rows.get(key)),
    list: () => Promise.resolve([...rows.values()]),
    remove: (_store, key) => Promise.resolve(void rows.delete(key)),
  };
}

/** Uploads what a job says; fails unless every object is there. */
export async function work(job: Job): Promise<void> {
  await using store = await s3.open(s3.options.parse({ bucket: BUCKET, endpoint: job.endpoint }));
  const quiet = () => {};
  const session = openObjects({
    store,
    probes: await fileProbes(job.verdicts),
    uploads: uploadsInMemory(),
    clock: systemClock,
    log: { debug: quiet, info: quiet, warn: console.error, error: console.error },
    signal: new AbortController().signal,
    settings: { verify: job.verify, partSize: job.partSize, parallel: job.parallel },
    prefix: "",
  });
  const requests = function* (): Generator<UploadRequest> {
    for (const { path, size, sha256 } of job.files) {
      const source = fileOf(join(job.tree, ...path.split("/")), size);
      yield { key: job.prefix + path, source, sha256, incarnation: "bench" };
    }
  };
  let done = 0;
  for await (const outcome of uploadMany(session, requests())) {
    if (!outcome.ok) throw outcome.error;
    if (outcome.object.existed) throw new Error(`"${outcome.object.uri}" was there already`);
    done++;
  }
  if (done !== job.files.length) throw new Error(`uploaded ${done} of ${job.files.length} files`);
}

async function hashes(tree: string, shape: TreeShape): Promise<Job["files"]> {
  const files: Job["files"] = [];
  for (let at = 0; at < shape.files; at++) {
    const path = treePath(shape, at);
    const hash = createHash("sha256");
    using file = await Deno.open(join(tree, ...path.split("/")));
    for await (const chunk of file.readable) hash.update(chunk);
    files.push({ path, size: shape.size, sha256: hash.digest("hex") });
  }
  return files;
}

interface Options {
  cases: Case[];
  endpoint: string;
  partSize: number;
  verifies: UploadSettings["verify"][];
  rounds: number;
  scratch: string;
  log: (line: string) => void;
}

/** Measures all cases; the bucket is emptied before each measurement and removed at the end. */
export async function measureUploads(options: Options): Promise<BenchReport> {
  const { endpoint, partSize, scratch } = options;
  const rclone = await findRclone();
  const env = {
    ...KEYS,
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Ceph",
    RCLONE_CONFIG_STORE_ENV_AUTH: "true",
    RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
  };
  const common = ["--config", "", "--stats", "0"];
  const run = (...args: string[]) => measure([rclone, ...args, ...common], { env });
  const empty = async () => {
    await run("delete", `store:${BUCKET}`);
  };
  await run("mkdir", `store:${BUCKET}`);
  const report: BenchReport = { bench: "s3_upload", results: [], verdicts: [] };
  for (const { name, shape, parallel, budget } of options.cases) {
    const tree = join(scratch, "tree");
    await makeTree(tree, shape, 0);
    const files = await hashes(tree, shape);
    const large = shape.size > partSize;
    // One file at a time with all requests in its parts, or all requests in files: the same number for both.
    const bounds = [
      "--transfers",
      String(large ? 1 : parallel),
      "--s3-upload-concurrency",
      String(parallel),
      "--s3-chunk-size",
      `${partSize}B`,
    ];
    const peer: Contestant = {
      name: `rclone ${RCLONE_VERSION}`,
      prepare: empty,
      run: () => run("copy", ...bounds, tree, `store:${BUCKET}/rclone`),
    };
    const ours = options.verifies.map((verify): Contestant => ({
      name: `labferry, verify ${verify}`,
      prepare: empty,
      run: async () => {
        const verdicts = join(scratch, "verdicts.json");
        const job: Job = { tree, endpoint, prefix: "labferry/", files, verify, partSize, parallel, verdicts };
        await Deno.writeTextFile(join(scratch, "job.json"), JSON.stringify(job));
        const script = new URL(import.meta.url).pathname;
        return await measure([Deno.execPath(), "run", "-A", "--no-check", script, "--job", join(scratch, "job.json")], {
          env: KEYS,
        });
      },
    }));
    // Nobody pays for the first look at the store, at the tree, or at a cold compiler cache.
    for (const one of [peer, ...ours]) await one.prepare!().then(() => one.run());
    const results = await interleave([peer, ...ours], {
      rounds: options.rounds,
      onSample: (who, { ms }) => options.log(`  ${name}: ${who} ${(ms / 1000).toFixed(2)} s, ${rate(shape, ms)}`),
    });
    await Deno.remove(tree, { recursive: true });
    report.results.push({ case: name, results });
    const found = ratio(results[1], results[0]);
    report.verdicts.push({
      what: `${name}, ${results[1].name}`,
      wanted: `at least ${budget} times as fast as rclone`,
      measured: `${found.toFixed(2)} times (${rate(shape, results[1].medianMs)})`,
      ok: found >= budget,
    });
    const peak = Math.max(...results.slice(1).map((result) => result.peakBytes ?? 0));
    report.verdicts.push({
      what: `${name}: memory`,
      wanted: "at most 300 MiB resident",
      measured: `${Math.round(peak / 2 ** 20)} MiB`,
      ok: peak <= 300 * 2 ** 20,
    });
  }
  await empty();
  await run("rmdir", `store:${BUCKET}`);
  return report;
}

function rate(shape: TreeShape, ms: number): string {
  const mib = shape.files * shape.size / 2 ** 20 / ms * 1000;
  return shape.files > 100 ? `${Math.round(shape.files / ms * 1000)} objects/s` : `${Math.round(mib)} MiB/s`;
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(endpoint, { signal: AbortSignal.timeout(3000) })).body?.cancel();
    return true;
  } catch {
    // Nothing there is an answer too.
    return false;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs([...args], {
    string: ["job", "endpoint", "large", "small", "part", "parallel", "small-parallel", "verify", "rounds"],
    boolean: ["quick", "check", "json"],
  });
  if (typeof flags.job === "string") {
    await work(JSON.parse(await Deno.readTextFile(flags.job)));
    return 0;
  }
  const quick = flags.quick === true;
  const endpoint = String(flags.endpoint ?? Deno.env.get("LABFERRY_TEST_RADOSGW") ?? "http://127.0.0.1:7480");
  const log = (line: string) => console.error(line);
  if (!await answers(endpoint)) {
    log(`s3_upload: left out, nothing answers at ${endpoint} (see tools/test_servers)`);
    return 0;
  }
  const scratch = await Deno.makeTempDir({ prefix: "labferry-bench-" });
  try {
    const report = await measureUploads({
      cases: [
        {
          name: "large objects",
          shape: parseShape(String(flags.large ?? (quick ? "1x128MiB" : "1x256MiB"))),
          parallel: Number(flags.parallel ?? 4),
          budget: 1.2,
        },
        {
          name: "small objects",
          shape: parseShape(String(flags.small ?? (quick ? "500x16KiB" : "2000x16KiB"))),
          parallel: Number(flags["small-parallel"] ?? 8),
          budget: 1,
        },
      ],
      endpoint,
      partSize: parseShape(`1x${flags.part ?? "8MiB"}`).size,
      verifies: String(flags.verify ?? "none,auto").split(",") as UploadSettings["verify"][],
      rounds: Number(flags.rounds ?? (quick ? 1 : 3)),
      scratch,
      log,
    });
    console.log(flags.json === true ? JSON.stringify(report) : formatReport(report));
    return flags.check === true && report.verdicts.some((verdict) => !verdict.ok) ? 1 : 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
