/** Options that a stage hands on to a plugin it uses, held against that plugin's own schema. @module */
import type { z } from "zod";
import type { AnyNotifier, Json, PluginUse } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { Registry } from "../registry.ts";
import type { LoadedConfig } from "./config.ts";
import { resolvePath } from "./config_paths.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { checkSchema } from "./schema_diagnostics.ts";
import { walkSchema } from "./schema_walk.ts";
import type { TomlDocument, TomlPath } from "./toml_document.ts";
import { writtenAt } from "./written.ts";

/** Checks the options of each use. A plugin that does not exist is reported where it is named, not here. */
export function checkUses(
  uses: readonly PluginUse[],
  { path, registry, document, config }: {
    /** Where the stage stands. */
    path: TomlPath;
    registry: Registry;
    document: TomlDocument;
    config: LoadedConfig;
  },
): Diagnostic[] {
  const at = (path: TomlPath) => writtenAt({ document, config }, path);
  return uses.flatMap(({ kind, name, options, at: below }) => {
    const plugin = registry.find(kind, name);
    if (plugin === undefined) return [];
    const subject = { document, base: [...path, "with", ...below], what: `${kind} "${name}"`, area: "options", at };
    const schema: z.ZodType = plugin.options;
    return checkSchema(schema, options, subject).diagnostics;
  });
}

/**
 * The options of a notifier, relative paths taken from the config's folder.
 * @throws {PipelineError} `options/bad-value`, `options/bad-path` (exit 2)
 */
export function notifierOptions(
  plugin: AnyNotifier,
  options: { [key: string]: Json },
  config: Pick<LoadedConfig, "folder" | "system">,
) {
  const wrong = (option: string, why: string) =>
    new PipelineError("options/bad-value", `Cannot use option "${option}" of notifier "${plugin.name}": ${why}`, {
      stopsRun: 2,
      hint: `labferry show ${plugin.name} lists its options`,
    });
  const withPaths = walkSchema(plugin.options, options, {
    path(text, path) {
      const resolved = resolvePath(text, config);
      if (resolved.ok) return resolved.path;
      throw wrong(path.join("."), resolved.reason);
    },
  });
  const parsed = plugin.options.safeParse(withPaths);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(issue.path.join("."), issue.message);
}
