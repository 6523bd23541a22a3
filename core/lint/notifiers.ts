/** Tier 3 of lint for pipelines that tell people: credentials, and settings that give them away. @module */
import type { AnyNotifier, Plugin, Secrets } from "../contract.ts";
import type { CompiledPart, CompiledPipeline } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { notifierOptions } from "../pipeline/uses.ts";
import type { Registry } from "../registry.ts";
import { ruleSeverity } from "./rules.ts";

/** What is wrong with the notifiers of a pipeline on this machine, each at the stage that uses it. */
export function lintNotifiers(
  pipeline: CompiledPipeline,
  { registry, secrets }: { registry: Registry; secrets: Secrets },
): Diagnostic[] {
  const { view } = pipeline.config;
  return pipeline.stages.flatMap((stage) =>
    (stage.plugin.uses?.(stage.options) ?? []).flatMap((use) => {
      const notifier = registry.get("notifier", use.name);
      const options = notifierOptions(notifier, use.options, pipeline.config);
      const found = [
        ...missing(notifier, { options, secrets }),
        ...(notifier.concerns?.(options, view) ?? []).map((concern) => ({ code: "env/clear-login", ...concern })),
      ];
      return found.map(({ code, message, hint }) =>
        diagnose(whereOf(pipeline, stage), { code, severity: ruleSeverity(code), message, hint })
      );
    })
  );
}

function missing(
  notifier: AnyNotifier,
  { options, secrets }: { options: Parameters<AnyNotifier["secrets"]>[0]; secrets: Secrets },
): { code: string; message: string; hint: string }[] {
  const names = notifier.secrets(options).filter((name) => secrets.get(name) === undefined);
  if (names.length === 0) return [];
  return [{
    code: "env/no-credentials",
    message: `Cannot tell anybody by ${notifier.name}: ${names.join(", ")} not set, so no event is queued`,
    hint: names.map((name) => `Set ${secrets.where(name)}`).join("\n"),
  }];
}

function whereOf({ document }: CompiledPipeline, part: CompiledPart<Plugin>) {
  return { source: document.source, span: part.position };
}
