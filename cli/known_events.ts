/** The events that the pipelines of this installation define. @module */
import { failureEvent } from "../core/events/events.ts";
import { parseToml, tomlValue } from "../core/pipeline/toml_document.ts";
import { walkSchema } from "../core/pipeline/schema_walk.ts";
import type { Json } from "../core/json.ts";
import type { Registry } from "../core/registry.ts";

/** Returns what these pipelines raise, and the events of their failures. A text that cannot be read raises nothing. */
export function definedEvents(pipelines: Iterable<{ name: string; text: string }>, registry: Registry): Set<string> {
  const events = new Set<string>();
  for (const { name, text } of pipelines) {
    events.add(failureEvent(name));
    const { document } = parseToml({ file: name, text });
    const value = document === undefined ? {} : tomlValue(document.root);
    for (const { use, with: options = {} } of stagesOf(value)) {
      const plugin = registry.find("stage", use);
      if (plugin === undefined) continue;
      walkSchema(plugin.options, options, {
        event: (event, role) => role === "raises" ? void events.add(event) : undefined,
      });
    }
  }
  return events;
}

function stagesOf(value: Json): { use: string; with?: Json }[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
  const lists = [value.before, value.stage, value.on_item_failed].filter((list) => Array.isArray(list)).flat();
  return lists.filter((entry): entry is { use: string; with?: Json } =>
    entry !== null && typeof entry === "object" && !Array.isArray(entry) && typeof entry.use === "string"
  );
}
