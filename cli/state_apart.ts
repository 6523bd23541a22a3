/** Whether the state folder lies apart from what the config names (SAFETY S2), asked before anything is written there. @module */
import { PipelineError } from "../core/errors.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import { findNesting } from "../core/io/roots.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import type { Locations } from "./locations.ts";

/**
 * The error of a state folder that lies within a folder of the config, or around one: a log written there would be taken
 * for data of the instrument. Undefined when it lies apart, and where the config cannot be read: then nothing is known.
 */
export async function whyStateIsNotApart(
  { configFile, stateDir }: Pick<Locations, "configFile" | "stateDir">,
): Promise<PipelineError | undefined> {
  const state = { id: "state", path: stateDir };
  for (const root of await rootsOf(configFile)) {
    const [nesting] = await findNesting(new DiskFiles(), [root, state]).catch(() => []);
    if (nesting === undefined) continue;
    const how = nesting.same ? "is" : nesting.inner === state ? "lies within" : "contains";
    return new PipelineError(
      "place/not-distinct",
      `Cannot use the state folder "${stateDir}": it ${how} paths.${root.id} "${root.path}", wanted a folder apart`,
      {
        stopsRun: 2,
        hint: "Nothing was written. Set LABFERRY_STATE_DIR to another folder, or mend the paths in the config.",
      },
    );
  }
  return undefined;
}

async function rootsOf(configFile: string): Promise<{ id: string; path: string }[]> {
  const text = await Deno.readTextFile(configFile).catch(() => undefined);
  if (text === undefined) return [];
  const input = { path: configFile, text };
  const { loaded = loadConfig({ ...input, only: "paths" }).loaded } = loadConfig(input);
  const { source_root, truenas_root, manifest_root } = loaded?.config.paths ?? {};
  return Object.entries({ source_root, truenas_root, manifest_root })
    .flatMap(([id, path]) => path === undefined ? [] : [{ id, path }]);
}
