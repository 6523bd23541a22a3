/** Stages from outside, as commands need them: found and loaded from this machine's disk. @module */
import type { BrokenFile } from "../core/external/external_stage.ts";
import { findExternalFiles, type FolderReader } from "../core/external/find_files.ts";
import { type LoadedStages, loadStages } from "../core/external/load_stages.ts";
import type { LoadedConfig } from "../core/pipeline/config.ts";
import type { Registry } from "../core/registry.ts";
import type { Terminal } from "./terminal.ts";

/** More than any stage needs, bundled packages included. */
const LARGEST_FILE_BYTES = 32 * 2 ** 20;

const DISK: FolderReader = {
  async fileNames(folder) {
    const names: string[] = [];
    for await (const entry of Deno.readDir(folder)) if (!entry.isDirectory) names.push(entry.name);
    return names;
  },
  realPath: (path) => Deno.realPath(path),
};

/** Reads a file of a stage, links followed. What is no file, a pipe for example, could be read for ever. */
async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw new TypeError("it is no file");
  if (size > LARGEST_FILE_BYTES) throw new RangeError(`it has ${size} bytes, wanted at most ${LARGEST_FILE_BYTES}`);
  return await Deno.readFile(path);
}

/** Loads the stages the config names and those of the folder beside it. This runs their code. */
export async function loadExternalStages(
  config: LoadedConfig,
  shipped: Registry,
  { outside }: Pick<Terminal, "outside">,
): Promise<LoadedStages> {
  const { files, broken } = await findExternalFiles(config, DISK);
  if (files.length === 0) return { stages: [], broken };
  const reading = (path: string) => {
    outside?.loads(path);
    return readFile(path);
  };
  const loaded = await loadStages(files, { shipped, readFile: reading });
  return { stages: loaded.stages, broken: [...broken, ...loaded.broken] };
}

/** One line for each file that gives no stage. */
export function brokenLines(broken: readonly BrokenFile[]): string[] {
  return broken.map(({ file, code, message }) => `${file}: ${message} [${code}]`);
}
