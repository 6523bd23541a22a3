/**
 * What a plugin file from outside is given (DESIGN 2). Its default export is `(api) => stage`, so that it needs no import
 * and loads into the compiled executable, too; `apiVersion` beside it says for which version of this object it was written.
 * @module
 */
import { type AnyStage, defineStage } from "./contract.ts";
import { PipelineError } from "./errors.ts";
import { argv, byteSize, duration, keyPrefix, pathOption, pattern, placeId, z } from "./options.ts";

/**
 * Version of `PluginApi` and of the contract behind it. A whole number; it grows when a file written for the version
 * before might no longer work.
 */
export const PLUGIN_API_VERSION = 1;

/** What the default export of a plugin file is called with. Everything in it can be taken out by name. */
export interface PluginApi {
  /** `PLUGIN_API_VERSION` of the running program. */
  readonly version: number;
  /** Types a stage. */
  readonly defineStage: typeof defineStage;
  /** The zod that the engine checks options with. */
  readonly z: typeof z;
  /** An option for a size. */
  readonly byteSize: typeof byteSize;
  /** An option for a duration. */
  readonly duration: typeof duration;
  /** An option for a path. */
  readonly pathOption: typeof pathOption;
  /** An option for a prefix of keys. */
  readonly keyPrefix: typeof keyPrefix;
  /** An option that names a place. */
  readonly placeId: typeof placeId;
  /** An option for a regular expression. */
  readonly pattern: typeof pattern;
  /** An option for a program and its arguments. */
  readonly argv: typeof argv;
  /** What to throw for a fault that a user can meet: `new PipelineError("area/problem", "Cannot …", { hint })`. */
  readonly PipelineError: typeof PipelineError;
}

/** The default export of a stage file from outside. */
export type StageFactory = (api: PluginApi) => AnyStage;

/**
 * The one object that plugin files are given.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pluginApi } from "labferry";
 * import type { StageFactory } from "labferry";
 *
 * // What stands behind `export default` in the file.
 * const factory: StageFactory = ({ defineStage, z }) =>
 *   defineStage({
 *     kind: "stage",
 *     name: "do-nothing",
 *     summary: "Does nothing.",
 *     takes: "tree",
 *     effect: "read",
 *     resume: "redo",
 *     options: z.strictObject({}),
 *     example: `[[stage]]\nuse = "do-nothing"\n`,
 *     open: () => ({
 *       async *plan() {
 *         yield { kind: "skip", why: "there is nothing to do" };
 *       },
 *       apply: () => Promise.resolve(),
 *     }),
 *   });
 * assert.equal(factory(pluginApi).name, "do-nothing");
 * ```
 */
export const pluginApi: PluginApi = Object.freeze({
  version: PLUGIN_API_VERSION,
  defineStage,
  z,
  byteSize,
  duration,
  pathOption,
  keyPrefix,
  placeId,
  pattern,
  argv,
  PipelineError,
});
