/**
 * Loads the stage of one file. The bytes are read once: what is hashed is what is imported, from memory and not by the
 * path, so that nothing can be put in its place in between. A file that its pin does not fit is not imported at all.
 * @module
 */
import { createHash } from "node:crypto";
import type { AnyStage } from "../contract.ts";
import { errnoOf, ioError } from "../io/io_errors.ts";
import { LATE, settledWithin } from "../settled_within.ts";
import { PLUGIN_API_VERSION, type PluginApi } from "../plugin_api.ts";
import { stageFaults } from "./check_stage.ts";
import { checkedStage } from "./checked_stage.ts";
import type { ExternalFile, ExternalOrigin, ExternalStage, FileFault } from "./external_stage.ts";
import { shown } from "./field.ts";
import { stageExtension, WANTED_EXTENSIONS } from "./find_files.ts";
import { type ImportText, importWords } from "./import_text.ts";

/** What loading needs of the outside. */
export interface StageLoader {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  importText: ImportText;
  api: PluginApi;
  /** How long a file may take to load, in ms. */
  timeoutMs: number;
}

/** Raised within this folder only, and caught there. */
export class FileFaultError extends Error {
  readonly fault: FileFault;

  constructor(fault: FileFault) {
    super(fault.message, { cause: fault.cause });
    this.fault = fault;
  }
}

/** Loads a file. @throws {FileFaultError} */
export async function loadStageFile(file: ExternalFile, loader: StageLoader): Promise<ExternalStage> {
  const { path, sha256: pin, touches } = file;
  const extension = stageExtension(path);
  if (extension === undefined) {
    throw new FileFaultError({
      code: "plugins/not-a-stage-file",
      message: `Cannot load "${path}": its name ends in none of ${WANTED_EXTENSIONS}`,
      hint: "Name a file of TypeScript or JavaScript whose default export is (api) => stage",
    });
  }
  const bytes = await read(path, loader);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (pin !== undefined && pin !== sha256) throw changed(path, { pin, sha256 });
  const value = await byDeadline(path, loader.timeoutMs, async () => {
    const module = await importModule(path, {
      bytes,
      loader,
      language: extension === ".ts" ? "typescript" : "javascript",
    });
    assertVersion(path, module.apiVersion);
    return await callDefault(path, module.default, loader.api);
  });
  assertStage(path, value);
  const origin: ExternalOrigin = { file: path, sha256, pinned: pin !== undefined, ...(touches ? { touches } : {}) };
  return { plugin: checkedStage(value, path), origin };
}

async function read(path: string, { readFile }: StageLoader): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readFile(path);
  } catch (error) {
    const isThere = errnoOf(error) !== "ENOENT";
    throw new FileFaultError({
      code: isThere ? "plugins/unreadable" : "plugins/not-there",
      message: ioError(error, { verb: "load the stage", path }).message,
      hint: isThere
        ? "Give the account that runs labferry the right to read this file; a file is wanted, no folder"
        : "Check the path: a relative one is taken from the folder of the config",
      cause: error,
    });
  }
}

function changed(path: string, { pin, sha256 }: { pin: string; sha256: string }): FileFaultError {
  return new FileFaultError({
    code: "plugins/changed",
    message: `Cannot load "${path}": its SHA-256 is ${sha256}, wanted ${pin} as the config pins it; it was not run`,
    hint: "Find out who changed the file and why. If the change is wanted, read it, then pin it anew",
  });
}

async function importModule(
  path: string,
  { bytes, loader, language }: { bytes: Uint8Array; loader: StageLoader; language: "typescript" | "javascript" },
): Promise<Record<string, unknown>> {
  try {
    return await loader.importText(bytes, language);
  } catch (error) {
    const { said, hint } = importWords(error, { path, language });
    throw new FileFaultError({
      code: "plugins/load-failed",
      message: `Cannot load "${path}": ${said}`,
      hint,
      cause: error,
    });
  }
}

function assertVersion(path: string, wanted: unknown): void {
  if (wanted === undefined) return;
  if (!Number.isSafeInteger(wanted) || Number(wanted) < 1) {
    throw new FileFaultError({
      code: "plugins/bad-api-version",
      message: `Cannot load "${path}": its apiVersion is ${shown(wanted)}, wanted a whole number of at least 1`,
      hint:
        `This labferry has version ${PLUGIN_API_VERSION} of the API: export const apiVersion = ${PLUGIN_API_VERSION}`,
    });
  }
  if (Number(wanted) <= PLUGIN_API_VERSION) return;
  throw new FileFaultError({
    code: "plugins/api-too-new",
    message:
      `Cannot load "${path}": it is written for version ${wanted} of the API, and this labferry has ${PLUGIN_API_VERSION}`,
    hint: "Update labferry, or take the release of that file which is made for this one",
  });
}

async function callDefault(path: string, factory: unknown, api: PluginApi): Promise<unknown> {
  if (typeof factory !== "function") {
    throw new FileFaultError({
      code: "plugins/no-function",
      message: `Cannot load "${path}": its default export is ${shown(factory)}, wanted a function (api) => stage`,
      hint: "Write: export default (api) => api.defineStage({ … })",
    });
  }
  try {
    return await factory(api);
  } catch (error) {
    throw new FileFaultError({
      code: "plugins/load-failed",
      message: `Cannot load "${path}": its default export threw ${
        error instanceof Error ? `${error.name}: ${error.message}` : shown(error)
      }`,
      hint:
        `It is called with version ${api.version} of the API as it is loaded, and must return the stage; tell its author`,
      cause: error,
    });
  }
}

function assertStage(path: string, value: unknown): asserts value is AnyStage {
  const faults = stageFaults(value);
  if (faults.length === 0) return assertVersion(path, (value as { apiVersion?: unknown }).apiVersion);
  const name = (value as { name?: unknown } | null | undefined)?.name;
  const what = typeof name === "string" ? `its stage ${shown(name)} is not sound` : "its default export gave no stage";
  throw new FileFaultError({
    code: "plugins/bad-stage",
    message: `Cannot load "${path}": ${what}: ${faults.join("; ")}`,
    hint: "docs/external_stages.md shows what a stage is; labferry show copy prints one that is",
  });
}

/** A file may wait for something that never comes: no command hangs on it. */
async function byDeadline<T>(path: string, ms: number, load: () => Promise<T>): Promise<T> {
  const loaded = await settledWithin(ms, load());
  if (loaded !== LATE) return loaded;
  throw new FileFaultError({
    code: "plugins/too-slow",
    message: `Cannot load "${path}": it has not ended loading after ${ms} ms`,
    hint: "A file must do nothing but define its stage; what takes time belongs into open, plan or apply",
  });
}
