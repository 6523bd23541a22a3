/**
 * What a plugin file from outside is given (DESIGN 2). Its default export is `(api) => stage`, so that it needs no import
 * and loads into the compiled executable, too; `apiVersion` beside it says for which version of this object it was written.
 * @module
 */
import { type AnyStage, defineNotifier, defineSource, defineStage, defineStore } from "./contract.ts";
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
  readonly defineStage: typeof defineStage;
  readonly defineSource: typeof defineSource;
  readonly defineStore: typeof defineStore;
  readonly defineNotifier: typeof defineNotifier;
  /** The zod that the engine checks options with. */
  readonly z: typeof z;
  readonly byteSize: typeof byteSize;
  readonly duration: typeof duration;
  readonly pathOption: typeof pathOption;
  readonly keyPrefix: typeof keyPrefix;
  readonly placeId: typeof placeId;
  readonly pattern: typeof pattern;
  readonly argv: typeof argv;
  /** What to throw for a fault that a user can meet: `new PipelineError("area/problem", "Cannot …", { hint })`. */
  readonly PipelineError: typeof PipelineError;
}

/** The default export of a stage file from outside. */
export type StageFactory = (api: PluginApi) => AnyStage;

/** The module of a stage file from outside. */
export interface StageModule {
  readonly default: StageFactory;
  /** The `PLUGIN_API_VERSION` it was written for. Default: 1. */
  readonly apiVersion?: number;
}

/** The one object that plugin files are given. */
export const pluginApi: PluginApi = Object.freeze({
  version: PLUGIN_API_VERSION,
  defineStage,
  defineSource,
  defineStore,
  defineNotifier,
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
