/**
 * Builds the single executable with the official `deno compile`: `deno task compile [--target TARGET|all] [--out DIR]`.
 * Without a target: for this machine. Prints each file with its SHA-256 and its size, and writes `SHA256SUMS` beside
 * them. The version and the commit are inside. On a network without access to Deno's site, `DENORT_BIN` names a local
 * base runtime.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join, resolve } from "@std/path";
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

/** Returns the arguments of `deno compile` for one executable, whose program begins in `entry`. No target: this machine. */
export function compileArgs(output: string, entry: string, target?: Target): string[] {
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
    entry,
  ];
}

/** Returns the text of the program that is compiled: the command line, which knows its commit. */
export function entryText(commit: string | undefined): string {
  return [
    'import { start } from "../cli.ts";',
    'import { main } from "../cli/main.ts";',
    'import { setCommit } from "../cli/version.ts";',
    ...commit === undefined ? [] : [`setCommit(${JSON.stringify(commit)});`],
    "start(main);",
    "",
  ].join("\n");
}

/** The commit of the checkout, with a `+` where files differ from it; undefined where there is no git. */
export async function commitOf(root: string): Promise<string | undefined> {
  const git = async (...args: string[]) => {
    const { code, stdout } = await new Deno.Command("git", { args: ["-C", root, ...args], stderr: "null" }).output();
    return code === 0 ? new TextDecoder().decode(stdout).trim() : undefined;
  };
  try {
    const commit = await git("rev-parse", "--short=12", "HEAD");
    return commit && (await git("status", "--porcelain") === "" ? commit : `${commit}+`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes the entry of the program into `dist/`, from where its imports start, and takes it away again. */
export async function withEntry<T>(work: (entry: string) => Promise<T>): Promise<T> {
  const folder = join(ROOT, "dist");
  await Deno.mkdir(folder, { recursive: true });
  const entry = join(folder, `entry-${crypto.randomUUID()}.ts`);
  await Deno.writeTextFile(entry, entryText(await commitOf(ROOT)));
  try {
    return await work(entry);
  } finally {
    await Deno.remove(entry);
  }
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
  const folder = resolve(ROOT, String(options.out ?? "dist"));
  await Deno.mkdir(folder, { recursive: true });
  const sums: string[] = [];
  return await withEntry(async (entry) => {
    for (const target of targets.length === 0 ? [undefined] : targets) {
      const name = executableName(target);
      const path = join(folder, name);
      const args = compileArgs(path, entry, target);
      const { code } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).spawn().status;
      if (code !== 0) return code;
      sums.push(`${await sha256(path)}  ${name}`);
      const { size } = await Deno.stat(path);
      console.log(`${sums.at(-1)}  ${(size / 2 ** 20).toFixed(1)} MiB`);
    }
    await Deno.writeTextFile(join(folder, "SHA256SUMS"), `${sums.join("\n")}\n`);
    return 0;
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
