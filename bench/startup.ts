/**
 * Start-up budgets (DESIGN 7): `labferry --version` under 80 ms, `validate study` of 10,000 files under 400 ms, from
 * process start to exit, as medians: `deno run -A bench/startup.ts [--program PATH] [--rounds N] [--check] [--json]`.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import { type BenchReport, formatReport, interleave } from "./peers/compare.ts";
import { measure } from "./peers/process.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const STUDY = "20260115_lin_tonsil_panel1";

/** Returns how labferry is started: a compiled program, or from source with this same runtime. */
export function labferry(program?: string): string[] {
  return program ? [program] : [Deno.execPath(), "run", "-A", join(ROOT, "cli.ts")];
}

/** Makes a right study of `files` files, all of them empty: only names and kinds are looked at. */
async function makeNames(root: string, files: number): Promise<string> {
  const study = join(root, STUDY);
  const scan = join(study, STUDY, "Scan1");
  await Deno.mkdir(join(scan, ".temp"), { recursive: true });
  const named = [join(study, `${STUDY}.xpd`), join(study, `${STUDY}.fpr`), join(scan, `${STUDY}.qptiff`)];
  for (let at = named.length; at < files; at++) named.push(join(scan, ".temp", `tile_${at}.dat`));
  for (const file of named) (await Deno.open(file, { write: true, createNew: true })).close();
  return study;
}

/** Measures both budgets. */
export async function measureStartup(
  options: { program?: string; rounds: number; files: number },
): Promise<BenchReport> {
  const root = await Deno.makeTempDir({ prefix: "labferry-startup-" });
  try {
    const study = await makeNames(root, options.files);
    const command = labferry(options.program);
    // A configuration of the person who measures must not take part.
    const env = { LABFERRY_CONFIG: join(root, "config.toml"), LABFERRY_STATE_DIR: join(root, "state"), NO_COLOR: "1" };
    const [version, validate] = await interleave([
      { name: "labferry --version", run: () => measure([...command, "--version"], { env, sampleMs: 5 }) },
      {
        name: `labferry validate study (${options.files} files)`,
        run: () => measure([...command, "validate", "study", study, "-q"], { env, sampleMs: 5 }),
      },
    ], { rounds: options.rounds });
    const budget = (what: string, limit: number, found: number) => ({
      what,
      wanted: `under ${limit} ms`,
      measured: `${found.toFixed(0)} ms`,
      ok: found < limit,
    });
    return {
      bench: "start-up",
      results: [{ case: "from process start to exit", results: [version, validate] }],
      verdicts: [budget("--version", 80, version.medianMs), budget("validate study", 400, validate.medianMs)],
    };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs([...args], { string: ["program", "rounds", "files"], boolean: ["check", "json"] });
  const report = await measureStartup({
    program: flags.program as string | undefined,
    rounds: Number(flags.rounds ?? 15),
    files: Number(flags.files ?? 10_000),
  });
  console.log(flags.json ? JSON.stringify(report) : formatReport(report));
  return flags.check && report.verdicts.some((verdict) => !verdict.ok) ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
