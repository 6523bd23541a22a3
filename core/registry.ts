/**
 * The registry: an explicit list of plugins. Nothing registers itself, and two plugins never share a name.
 * @module
 */
import type {
  AnyNotifier,
  AnySource,
  AnyStage,
  AnyStore,
  Plugin,
  SchedulerPlugin,
  StandardPlugin,
} from "./contract.ts";
import { PipelineError } from "./errors.ts";
import { type ExternalOrigin, type ExternalStage, isVouchedFor } from "./external/external_stage.ts";
import { nameHint } from "./pipeline/nearest.ts";

export type PluginKind = Plugin["kind"];

export const PLUGIN_KINDS: readonly PluginKind[] = ["stage", "source", "notifier", "standard", "store", "scheduler"];

interface ByKind {
  stage: AnyStage;
  source: AnySource;
  notifier: AnyNotifier;
  standard: StandardPlugin;
  store: AnyStore;
  scheduler: SchedulerPlugin;
}

/** Looks plugins up by kind and name. */
export interface Registry {
  /** @throws {PipelineError} `registry/unknown-plugin`, with the nearest name in the hint. */
  get<K extends PluginKind>(kind: K, name: string): ByKind[K];
  find<K extends PluginKind>(kind: K, name: string): ByKind[K] | undefined;
  /** Plugins of a kind in the order they were listed. */
  list<K extends PluginKind>(kind: K): readonly ByKind[K][];
  /** Names of a kind, sorted. */
  names(kind: PluginKind): string[];
  /** Whether the plugin may touch any byte: it came from outside and the config does not vouch for it. */
  isUntrusted(plugin: Plugin): boolean;
  /** Where a stage from outside comes from; undefined for plugins that come with labferry. */
  externalOf(plugin: Plugin): ExternalOrigin | undefined;
}

export interface RegistryOptions {
  /** Stages from outside. */
  external?: readonly ExternalStage[];
}

/** What the name of a plugin looks like. */
export const PLUGIN_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Makes a registry from a list of plugins.
 * @throws {PipelineError} `registry/duplicate-name` if two plugins of one kind share a name, `registry/bad-name` if a
 * name is not lower case with hyphens, `registry/bad-kind` if a plugin is of no known kind.
 */
export function createRegistry(plugins: readonly Plugin[], options: RegistryOptions = {}): Registry {
  const kinds = new Map<PluginKind, Map<string, Plugin>>(PLUGIN_KINDS.map((kind) => [kind, new Map()]));
  const origins = new Map<Plugin, ExternalOrigin>(options.external?.map(({ plugin, origin }) => [plugin, origin]));
  for (const plugin of [...plugins, ...origins.keys()]) {
    const names = kinds.get(plugin.kind);
    if (names === undefined) {
      throw new PipelineError(
        "registry/bad-kind",
        `Cannot register "${plugin.name}": its kind is "${plugin.kind}", wanted one of ${PLUGIN_KINDS.join(", ")}`,
      );
    }
    if (!PLUGIN_NAME.test(plugin.name)) {
      throw new PipelineError(
        "registry/bad-name",
        `Cannot register ${plugin.kind} "${plugin.name}": wanted a name of lower-case words joined by hyphens`,
      );
    }
    if (names.has(plugin.name)) {
      throw new PipelineError(
        "registry/duplicate-name",
        `Cannot register ${plugin.kind} "${plugin.name}": another ${plugin.kind} has that name`,
        { hint: "Rename one of the two: a name must mean one plugin." },
      );
    }
    names.set(plugin.name, plugin);
  }
  const of = <K extends PluginKind>(kind: K) => kinds.get(kind) as Map<string, ByKind[K]>;
  return {
    find: (kind, name) => of(kind).get(name),
    get(kind, name) {
      const plugin = of(kind).get(name);
      if (plugin) return plugin;
      throw new PipelineError(
        "registry/unknown-plugin",
        `Cannot find ${kind} "${name}": no such ${kind} is registered`,
        {
          hint: nameHint(name, of(kind).keys(), `known ${kind} plugins`),
        },
      );
    },
    list: (kind) => [...of(kind).values()],
    names: (kind) => [...of(kind).keys()].toSorted(),
    isUntrusted(plugin) {
      const origin = origins.get(plugin);
      return origin !== undefined && !isVouchedFor(origin);
    },
    externalOf: (plugin) => origins.get(plugin),
  };
}
