/** Loads the stages of several files, one after the other, and sees to it that a name means one stage. @module */
import { pluginApi } from "../plugin_api.ts";
import type { Registry } from "../registry.ts";
import type { BrokenFile, ExternalFile, ExternalStage, FileFault } from "./external_stage.ts";
import { shown } from "./field.ts";
import { importText } from "./import_text.ts";
import { FileFaultError, loadStageFile, type StageLoader } from "./load_file.ts";

/** What came of the files. */
export interface LoadedStages {
  stages: ExternalStage[];
  broken: BrokenFile[];
}

/** How long one file may take to load, in ms. */
const LOAD_TIMEOUT_MS = 10_000;

/** Loads each file. One that gives no stage is no obstacle to the others. */
export async function loadStages(
  files: readonly ExternalFile[],
  { shipped, ...loader }: { shipped: Registry } & Pick<StageLoader, "readFile"> & Partial<StageLoader>,
): Promise<LoadedStages> {
  const stages: ExternalStage[] = [];
  const broken: BrokenFile[] = [];
  for (const file of files) {
    try {
      const stage = await loadStageFile(file, { importText, api: pluginApi, timeoutMs: LOAD_TIMEOUT_MS, ...loader });
      assertFree(stage, { shipped, stages });
      stages.push(stage);
    } catch (error) {
      broken.push({ ...faultOf(error, file.path), file: file.path, at: file.at });
    }
  }
  return { stages, broken };
}

/** A file may give what throws as soon as it is looked at. */
function faultOf(error: unknown, path: string): FileFault {
  if (error instanceof FileFaultError) return error.fault;
  return {
    code: "plugins/load-failed",
    message: `Cannot load "${path}": ${error instanceof Error ? `${error.name}: ${error.message}` : shown(error)}`,
    hint: "This is a mistake in that file; tell its author",
    cause: error,
  };
}

function assertFree(
  { plugin: { name }, origin: { file } }: ExternalStage,
  { shipped, stages }: { shipped: Registry; stages: readonly ExternalStage[] },
): void {
  const other = stages.find((stage) => stage.plugin.name === name);
  const isShipped = shipped.find("stage", name) !== undefined;
  if (other === undefined && !isShipped) return;
  const owner = isShipped ? "the stage of that name comes with labferry" : `"${other?.origin.file}" has that name`;
  throw new FileFaultError({
    code: "plugins/name-taken",
    message: `Cannot load "${file}": its stage is called "${name}", and ${owner}`,
    hint: "Rename the stage in that file: a name must mean one stage",
  });
}
