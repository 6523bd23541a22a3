/**
 * Builds a real executable for the tests (`deno run -A tools/testing/executable.ts FOLDER`), with the tool that lies beside the checkout on the machines this is built on:
 * the official `deno compile` needs a base runtime from Deno's site.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { EMBEDDED_WORKERS, withEntry } from "../compile.ts";

const TOOL = fromFileUrl(new URL("../../../shared/tools/compile-check", import.meta.url));

/** Names an executable that was built already. */
const VARIABLE = "LABFERRY_TEST_EXECUTABLE";

export interface BuiltExecutable {
  /** Variables by which the tests find it. */
  env: Record<string, string>;
  /** Why there is none; empty when it was built. */
  problem: string;
}

/**
 * Builds it into `folder`, unless the environment names one. Nothing here fails a run: the tests of it are skipped, and
 * the reason is printed.
 */
export async function buildExecutable(folder: string): Promise<BuiltExecutable> {
  if (Deno.env.get(VARIABLE)) return { env: {}, problem: "" };
  const none = (problem: string) => ({ env: {}, problem });
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return none("executable: only built on Linux x86_64");
  const path = join(folder, "labferry");
  const include = EMBEDDED_WORKERS.flatMap((file) => ["--include", file]);
  try {
    const { code, stderr } = await withEntry((entry) =>
      new Deno.Command(TOOL, {
        args: [path, "-A", ...include, entry],
        cwd: fromFileUrl(new URL("../../", import.meta.url)),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).output()
    );
    if (code === 0) return { env: { [VARIABLE]: path }, problem: "" };
    return none(`executable: compile-check ended with ${code}: ${new TextDecoder().decode(stderr).trim().slice(-300)}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return none("executable: no compile-check beside the checkout");
  }
}

async function main([folder]: readonly string[]): Promise<number> {
  if (folder === undefined) {
    console.error("usage: executable.ts FOLDER");
    return 2;
  }
  await Deno.mkdir(folder, { recursive: true });
  const { env, problem } = await buildExecutable(folder);
  const path = env[VARIABLE] ?? Deno.env.get(VARIABLE);
  if (path === undefined) {
    console.error(problem);
    return 1;
  }
  console.log(`${path}  ${((await Deno.stat(path)).size / 2 ** 20).toFixed(1)} MiB`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
