/** Tier 3 of lint for pipelines that tell people: credentials, and settings that give them away. @module */
import type { AnyNotifier, Plugin, Secrets } from "../contract.ts";
import type { CompiledPart, CompiledPipeline } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic, type Where } from "../pipeline/diagnostic.ts";
import { notifierOptions } from "../pipeline/uses.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { keyWrittenAt, valueWrittenAt } from "../pipeline/written.ts";
import type { Registry } from "../registry.ts";
import { ruleSeverity } from "./rules.ts";

/** What is wrong with the notifiers of a pipeline on this machine, each at the stage that uses it. */
export async function lintNotifiers(
  pipeline: CompiledPipeline,
  { registry, secrets, fs }: { registry: Registry; secrets: Secrets; fs: Pick<FileSystem, "readText"> },
): Promise<Diagnostic[]> {
  const { view } = pipeline.config;
  const readText = async (path: string) => {
    try {
      return await fs.readText(path);
    } catch (cause) {
      throw ioError(cause, { verb: "read", path });
    }
  };
  const diagnostics: Diagnostic[] = [];
  for (const stage of pipeline.stages) {
    for (const use of stage.plugin.uses?.(stage.options) ?? []) {
      const notifier = registry.get("notifier", use.name);
      const options = notifierOptions(notifier, use.options, pipeline.config);
      const add = (code: string, at: Where, { message, hint }: { message: string; hint?: string }) =>
        diagnostics.push(diagnose(at, { code, severity: ruleSeverity(code), message, hint }));
      const here = whereOf(pipeline, stage);
      for (const each of missing(notifier, { options, secrets })) add("env/no-credentials", here, each);
      for (const each of notifier.concerns?.(options, view) ?? []) add("env/clear-login", here, each);
      for (const { key, ...words } of await notifier.look?.(options, { config: view, readText }) ?? []) {
        add("env/notifier-file", key ? keyWrittenAt(pipeline, { part: stage, key }) : here, words);
      }
    }
  }
  return diagnostics;
}

/** Whether the folder of the lists of recipients is there; else nobody would be told of anything. */
export async function lintLists(
  pipeline: CompiledPipeline,
  { lstat }: Pick<FileSystem, "lstat">,
): Promise<Diagnostic[]> {
  const folder = pipeline.config.config.notify.recipients_dir;
  const stage = pipeline.stages.find(({ options }) => Object.values(options as object).includes(folder));
  if (stage === undefined) return [];
  const kind = (await lstat(folder))?.kind;
  // A link is followed when the lists are read.
  if (kind === "directory" || kind === "symlink") return [];
  const code = "env/no-lists";
  return [diagnose(valueWrittenAt(pipeline, { part: stage, value: folder }), {
    code,
    severity: ruleSeverity(code),
    message: `Cannot find who hears of what: "${folder}": ${
      kind === undefined ? "nothing is there" : `it is a ${kind}`
    }, wanted the folder of the lists of recipients`,
    hint: "check [notify] recipients_dir; labferry install init makes the folder",
  })];
}

function missing(
  notifier: AnyNotifier,
  { options, secrets }: { options: Parameters<AnyNotifier["secrets"]>[0]; secrets: Secrets },
): { message: string; hint: string }[] {
  const names = notifier.secrets(options).filter((name) => secrets.get(name) === undefined);
  if (names.length === 0) return [];
  return [{
    message: `Cannot tell anybody by ${notifier.name}: ${names.join(", ")} not set, so no event is queued`,
    hint: names.map((name) => `Set ${secrets.where(name)}`).join("\n"),
  }];
}

function whereOf({ document }: CompiledPipeline, part: CompiledPart<Plugin>) {
  return { source: document.source, span: part.position };
}
