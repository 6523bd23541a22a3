/** What is said of a plugin that cannot be used where it is named. @module */
import type { AnySource, AnyStage } from "../contract.ts";
import { PLUGIN_KINDS, type PluginKind, type Registry } from "../registry.ts";
import { diagnose, type Diagnostic, type Where } from "./diagnostic.ts";
import { nameAdvice } from "./nearest.ts";

/** Names that plugins had, and have no more. */
const FORMER_NAMES: Readonly<Record<string, string>> = { emit: "raise-event" };

/** A name of which no plugin of this kind is registered. */
export function unknownPlugin(
  kind: PluginKind,
  { use, at, registry }: { use: string; at: Where; registry: Registry },
): Diagnostic {
  const other = PLUGIN_KINDS.find((one) => one !== kind && registry.find(one, use) !== undefined);
  const advice = nameAdvice(use, registry.names(kind), `known ${kind}s`);
  const now = Object.hasOwn(FORMER_NAMES, use) && registry.find(kind, FORMER_NAMES[use])
    ? FORMER_NAMES[use]
    : undefined;
  return diagnose(at, {
    code: "pipeline/unknown-plugin",
    message: other
      ? `Cannot use "${use}" as a ${kind}: it is a ${other}`
      : `Cannot find ${kind} "${use}": no such ${kind} is known`,
    ...advice,
    ...now === undefined ? {} : { nearest: now, hint: `its name is "${now}" now` },
  });
}

const KIND_WORDS = {
  tree: "trees",
  backup: "complete backups",
  folder: "trees and backups",
  event: "events",
  any: "anything",
};

interface At<P> {
  id: string;
  use: string;
  plugin: P;
  position: { line: number };
}

/** A stage that takes another kind of item than the source yields; undefined where it takes what it is given. */
export function wrongItem(
  stage: At<AnyStage>,
  { source, registry, at }: { source: At<AnySource>; registry: Registry; at: Where },
): Diagnostic | undefined {
  const { takes } = stage.plugin;
  const { yields } = source.plugin;
  const fits = (kind: string) => takes === "any" || takes === kind || (takes === "folder" && kind !== "event");
  if (fits(yields)) return undefined;
  const others = registry.list("source").filter((plugin) => fits(plugin.yields)).map(({ name }) => name).toSorted();
  return diagnose(at, {
    code: "pipeline/wrong-item",
    message: `Cannot run stage "${stage.id}" on items of source "${source.use}": it takes ${
      KIND_WORDS[takes]
    }, and the source (line ${source.position.line}) yields ${KIND_WORDS[yields]}`,
    hint: `take it out; "${stage.use}" belongs into a pipeline whose source is ${others.join(" or ")}`,
  });
}
