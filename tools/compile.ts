/**
 * Builds the single executable with the official `deno compile`: `deno task compile [--target TARGET|all] [--out DIR]`.
 * Without a target: for this machine. Prints each file with its SHA-256, and writes `SHA256SUMS` beside them.
 * On a network without access to Deno's site, `DENORT_BIN` names a local base runtime.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import { createHash } from "node:crypto";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

export const TARGETS = [
  "x86_64-pc-windows-msvc",
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
] as const;

/** Modules that start as workers: no import names them, so they are embedded by name. */
export const EMBEDDED_WORKERS = ["core/io/file_worker.ts"] as const;

export type Target = (typeof TARGETS)[number];

/**
 * Returns the targets that `--target` names: one, several separated by commas, or `all`.
 * @throws {RangeError} if one is unknown
 */
export function targetsOf(option: string | undefined): Target[] {
  if (option === undefined) return [];
  if (option === "all") return [...TARGETS];
  return option.split(",").map((name) => {
    const target = TARGETS.find((target) => target === name);
    if (target === undefined) throw new RangeError(`Unknown target "${name}", wanted one of ${TARGETS.join(", ")}`);
    return target;
  });
}

/** Returns the arguments of `deno compile` for one executable. No target: this machine. */
export function compileArgs(output: string, target?: Target): string[] {
  return [
    "compile",
    // A share (UNC path) needs all permissions on Windows; what a plugin may do is the engine's part.
    "-A",
    "--frozen",
    "--exclude-unused-npm",
    ...(target === undefined ? [] : ["--target", target]),
    ...EMBEDDED_WORKERS.flatMap((file) => ["--include", file]),
    "--output",
    output,
    "cli.ts",
  ];
}

/** Returns the file name of the executable, as a release names it. */
export function executableName(target?: Target): string {
  if (target === undefined) return Deno.build.os === "windows" ? "labferry.exe" : "labferry";
  return `labferry-${target}${target.includes("windows") ? ".exe" : ""}`;
}

async function sha256(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const block = new Uint8Array(1 << 20);
  for (let got = await file.read(block); got !== null; got = await file.read(block)) {
    hash.update(block.subarray(0, got));
  }
  return hash.digest("hex");
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseArgs([...args], { string: ["target", "out"] });
  const targets = targetsOf(options.target as string | undefined);
  const folder = join(ROOT, String(options.out ?? "dist"));
  await Deno.mkdir(folder, { recursive: true });
  const sums: string[] = [];
  for (const target of targets.length === 0 ? [undefined] : targets) {
    const name = executableName(target);
    const command = new Deno.Command(Deno.execPath(), {
      args: compileArgs(join(folder, name), target),
      cwd: ROOT,
      stdin: "null",
    });
    const { code } = await command.spawn().status;
    if (code !== 0) return code;
    sums.push(`${await sha256(join(folder, name))}  ${name}`);
    console.log(sums.at(-1));
  }
  await Deno.writeTextFile(join(folder, "SHA256SUMS"), `${sums.join("\n")}\n`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
