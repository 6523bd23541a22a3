/**
 * The pinned rclone, and the three commands that together do what copy, verify and sidecar do.
 * @module
 */
import { join } from "@std/path";
import { homedir } from "node:os";
import { measure, type Measured } from "./process.ts";

/** The one version all figures are measured against (DESIGN 7). */
export const RCLONE_VERSION = "v1.75.1";

/** Where programs that only benchmarks need are kept between runs: `LABFERRY_BENCH_CACHE` or the user's cache folder. */
export function benchCache(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache");
  return Deno.env.get("LABFERRY_BENCH_CACHE") || join(cache, "labferry-bench");
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await measure([program, "version"]);
    // A build from the Go module proxy calls itself -DEV, whatever its version: only release builds are stamped.
    return /^rclone (v\S+?)(?:-DEV)?$/m.exec(stdout)?.[1];
  } catch {
    // Not there, or not a program: the same as another version, it cannot be used.
    return undefined;
  }
}

/**
 * Returns the path of rclone at the pinned version: the one on PATH if it is that, else one built from the Go module
 * proxy into the cache.
 * @throws {Error} if it has to be built and Go is not there or fails
 */
export async function findRclone(): Promise<string> {
  if (await versionOf("rclone") === RCLONE_VERSION) return "rclone";
  const folder = join(benchCache(), `rclone-${RCLONE_VERSION}`);
  const program = join(folder, Deno.build.os === "windows" ? "rclone.exe" : "rclone");
  if (await versionOf(program) === RCLONE_VERSION) return program;
  await Deno.mkdir(folder, { recursive: true });
  await measure(["go", "install", `github.com/rclone/rclone@${RCLONE_VERSION}`], { env: { GOBIN: folder } });
  const version = await versionOf(program);
  if (version !== RCLONE_VERSION) throw new Error(`Cannot use rclone: built ${version}, wanted ${RCLONE_VERSION}`);
  return program;
}

export interface RcloneJob {
  program: string;
  from: string;
  to: string;
  /** Where `hashsum` writes its list. */
  sums: string;
}

/** `copy`, `check` (hashes both sides) and `hashsum sha256` of the copy, with rclone's own defaults for parallelism. */
export function rcloneCommands(job: RcloneJob): string[][] {
  // An empty --config keeps a user's remotes and options out of the figures.
  const common = ["--config", "", "--stats", "0"];
  return [
    [job.program, "copy", ...common, "--create-empty-src-dirs", job.from, job.to],
    [job.program, "check", ...common, job.from, job.to],
    [job.program, "hashsum", "sha256", ...common, "--output-file", job.sums, job.to],
  ];
}

/** Runs the three commands; `between` stands before each and is not timed, `after` follows the copy and is timed. */
export async function runRclone(job: RcloneJob, options: {
  between?: () => Promise<void>;
  after?: () => Promise<void>;
} = {}): Promise<Pick<Measured, "ms" | "peakBytes">> {
  let ms = 0;
  let peakBytes: number | null = null;
  for (const [at, argv] of rcloneCommands(job).entries()) {
    await options.between?.();
    const step = await measure(argv);
    ms += step.ms;
    if (step.peakBytes !== null) peakBytes = Math.max(peakBytes ?? 0, step.peakBytes);
    if (at === 0 && options.after !== undefined) {
      const start = performance.now();
      await options.after();
      ms += performance.now() - start;
    }
  }
  return { ms, peakBytes };
}
