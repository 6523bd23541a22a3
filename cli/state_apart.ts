/** Whether the state folder lies apart from what the config names (SAFETY S2), asked before anything is written there. @module */
import { PipelineError } from "../core/errors.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import type { FileSystem } from "../core/io/file_system.ts";
import { isAbsent } from "../core/io/io_errors.ts";
import { findNesting } from "../core/io/roots.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import { settledWithin } from "../core/settled_within.ts";
import type { Locations } from "./locations.ts";

/** How long (ms) a look may take: a share that hangs, or a config that is a pipe, answers never. */
const LOOK_MS = 2_000;

type Where = Pick<Locations, "configFile" | "stateDir">;

/** What a look has found. */
export interface StateLook {
  /**
   * Of a state folder that is shown to lie within a folder of the config, or around one: a log written there would be
   * taken for data of the instrument.
   */
  astray?: PipelineError;
  /** What could not be looked at, and why: of that nothing is known, neither that the folder lies apart. */
  unseen: readonly string[];
}

const looks = new WeakMap<Where, Promise<StateLook>>();

/** Looks once for the same locations, which are those of one command, and for at most 2 s. */
export function lookAtState(where: Where): Promise<StateLook> {
  const look = looks.get(where) ?? lookAnew(where);
  looks.set(where, look);
  return look;
}

/** The error of a state folder that is shown not to lie apart. A run over studies looks again, and must see all. */
export async function whyStateIsNotApart(where: Where): Promise<PipelineError | undefined> {
  return (await lookAtState(where)).astray;
}

/** One look. The options are for tests. */
export async function lookAnew(
  { configFile, stateDir }: Where,
  { lookMs = LOOK_MS, fs = new DiskFiles(), readText = Deno.readTextFile }: {
    lookMs?: number;
    fs?: Pick<FileSystem, "lstat" | "realPath">;
    readText?: (path: string) => Promise<string>;
  } = {},
): Promise<StateLook> {
  const found: { astray?: PipelineError; unseen: string[] } = { unseen: [] };
  const state = { id: "state", path: stateDir };
  let at: string | undefined = `the config "${configFile}"`;
  const look = async () => {
    let text: string;
    try {
      text = await readText(configFile);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      at = undefined;
      return;
    }
    for (const root of rootsOf({ path: configFile, text })) {
      at = `paths.${root.id} "${root.path}"`;
      try {
        const [nesting] = await findNesting(fs as FileSystem, [root, state]);
        if (nesting === undefined) continue;
        const how = nesting.same ? "is" : nesting.inner === state ? "lies within" : "contains";
        found.astray ??= notApart(stateDir, `${how} ${at}`);
      } catch (error) {
        found.unseen.push(`${at}: ${wordsOf(error)}`);
      }
    }
    at = undefined;
  };
  const failed = (error: unknown) => {
    found.unseen.push(`${at}: ${wordsOf(error)}`);
    at = undefined;
  };
  await settledWithin(lookMs, look().catch(failed));
  // A look that ends later changes nothing of what was answered.
  const unseen = at === undefined ? [...found.unseen] : [...found.unseen, `${at}: no answer within ${lookMs} ms`];
  return { astray: found.astray, unseen };
}

function notApart(stateDir: string, how: string): PipelineError {
  return new PipelineError(
    "place/not-distinct",
    `Cannot use the state folder "${stateDir}": it ${how}, wanted a folder apart`,
    {
      stopsRun: 2,
      hint: "Nothing was written. Set LABFERRY_STATE_DIR to another folder, or mend the paths in the config.",
    },
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** None of a config that cannot be understood: the command says so itself. */
function rootsOf(input: { path: string; text: string }): { id: string; path: string }[] {
  const { loaded = loadConfig({ ...input, only: "paths" }).loaded } = loadConfig(input);
  const { source_root, truenas_root, manifest_root } = loaded?.config.paths ?? {};
  return Object.entries({ source_root, truenas_root, manifest_root })
    .flatMap(([id, path]) => path === undefined ? [] : [{ id, path }]);
}
