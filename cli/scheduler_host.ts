/** This machine as a scheduler sees it. @module */
import { join } from "@std/path";
import type { ProgramResult, SchedulerHost } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { ioError, isAbsent } from "../core/io/io_errors.ts";
import type { Terminal } from "./terminal.ts";
import { exists, removeFile, writeFile } from "./write_file.ts";

/** How long a call of schtasks or systemctl may take, in ms. */
const DEADLINE_MS = 60_000;

/** Returns the host of a terminal: its environment, its clock, the disk. */
export function schedulerHost({ env, now }: Pick<Terminal, "env" | "now">): SchedulerHost {
  return {
    env,
    now: new Date(now()),
    run: (argv, options) => run(argv, { env, secrets: options?.secrets ?? [] }),
    exists,
    async write(path, text) {
      await writeFile(path, new TextEncoder().encode(text), { mode: 0o644, standing: "replace" });
    },
    async remove(path) {
      await removeFile(path);
    },
    withFile,
  };
}

async function run(
  [program, ...args]: readonly [string, ...string[]],
  { env, secrets }: { env: Terminal["env"]; secrets: readonly string[] },
): Promise<ProgramResult> {
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  let output: Deno.CommandOutput;
  try {
    const command = new Deno.Command(program, {
      args,
      env: Object.fromEntries(known),
      clearEnv: true,
      stdin: "null",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    output = await command.output();
  } catch (cause) {
    if (isAbsent(cause)) {
      throw new PipelineError("schedule/no-program", `Cannot run "${program}": there is no such program on PATH`, {
        hint: "Name another scheduler with --scheduler; labferry list schedulers shows them",
      });
    }
    // The cause could hold the arguments, and one of them may be a password.
    const said = cause instanceof Error ? clean(cause.message, secrets) : "unknown";
    throw new PipelineError("schedule/no-program", `Cannot run "${program}": ${said}`);
  }
  const decoder = new TextDecoder();
  const text = [output.stdout, output.stderr].map((bytes) => decoder.decode(bytes)).join("\n");
  return { code: output.code, output: clean(text, secrets) };
}

function clean(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== "").reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

async function withFile<T>(name: string, bytes: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "labferry-" }).catch((error) => {
    throw ioError(error, { verb: "make a temporary folder for", path: name });
  });
  try {
    const path = join(folder, name);
    await writeFile(path, bytes, { mode: 0o600, standing: "replace" });
    return await work(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
