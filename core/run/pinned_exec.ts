/**
 * Programs whose pin is believed (SAFETY, transfer): before they run, every file they are made of is hashed.
 * @module
 */
import { isAbsolute, resolve } from "@std/path";
import { PipelineError } from "../errors.ts";
import { hashFile } from "../io/transfer.ts";
import type { ExecOptions } from "../ports.ts";
import { childGraceMs, deadlinesOf } from "./deadlines.ts";
import type { EngineServices, RunRequest } from "./services.ts";

/** The services of a run whose child processes end, if need be by force, while their step is still waited for. */
export function withChildGrace(
  services: EngineServices,
  request: Pick<RunRequest, "compiled" | "deadlines">,
): EngineServices {
  const graceMs = childGraceMs(deadlinesOf(request));
  return { ...services, exec: (options) => services.exec({ ...options, graceMs }) };
}

/**
 * Runs a child process. With `pins`, the program and every argument that is a file must be named by an absolute path
 * and have the pinned SHA-256: the pin of an interpreter says nothing of the script it is given.
 * @throws {PipelineError} `hook/not-pinned`, `hook/changed`, before anything starts
 */
export async function execPinned(
  services: EngineServices,
  options: ExecOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.pins) await assertPinned(services, { ...options, pins: options.pins }, signal);
  await services.exec({ ...options, signal, log: services.log });
}

async function assertPinned(
  { fs }: EngineServices,
  { argv, pins, cwd }: ExecOptions & { pins: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<void> {
  for (const [index, argument] of argv.entries()) {
    // A relative argument that names something is a file the pin says nothing of, wherever the program starts.
    const named = isAbsolute(argument) ? argument : resolve(cwd ?? ".", argument);
    const isThere = (await fs.lstat(named).catch(() => undefined)) !== undefined;
    if (index > 0 && !isThere) continue;
    const isFile = isThere && isAbsolute(argument);
    const pin = Object.hasOwn(pins, argument) ? pins[argument] : undefined;
    if (!isFile || pin === undefined) {
      throw new PipelineError(
        "hook/not-pinned",
        `Cannot run "${argv[0]}" as pinned: "${argument}" has no pin by its absolute path`,
        {
          hint:
            "Name the program and each file it is given by absolute paths, with sha256 and pins; or take the pin away.",
        },
      );
    }
    const { sha256 } = await hashFile(fs, await fs.realPath(argument), { signal });
    if (sha256 === pin) continue;
    throw new PipelineError(
      "hook/changed",
      `Cannot run "${argv[0]}": "${argument}" has SHA-256 ${sha256}, wanted ${pin}`,
      {
        hint: "The file is not the one the pipeline vouches for. Look at what changed it, then pin it anew.",
      },
    );
  }
}
