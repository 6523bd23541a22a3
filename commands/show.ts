/** `show NAME`: a plugin with its options, or a pipeline. @module */
import type { Command } from "../cli/command.ts";
import { builtinRegistry, findPipelineText, pipelineNames } from "../cli/project.ts";
import { factsOf } from "../cli/plugin_facts.ts";
import { optionsOf, renderPlugin } from "../cli/render_plugin.ts";
import type { AnyStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import { PLUGIN_KINDS } from "../core/registry.ts";

export const run: Command = async (args, context) => {
  const { terminal, logs } = context;
  const name = args.at("NAME");
  const registry = builtinRegistry();
  const plugins = PLUGIN_KINDS.flatMap((kind) => registry.find(kind, name) ?? []);
  const pipelines = await pipelineNames(context);
  if (plugins.length === 0 && !pipelines.includes(name)) {
    const known = [...PLUGIN_KINDS.flatMap((kind) => registry.names(kind)), ...pipelines];
    throw new PipelineError("cli/no-name", `Cannot show "${name}": no plugin and no pipeline has that name`, {
      stopsRun: 2,
      hint: nameHint(name, known, "known names"),
    });
  }
  const pipeline = pipelines.includes(name) ? await findPipelineText(name, context) : undefined;
  if (args.has("json")) {
    const shown = plugins.map((plugin) => ({
      kind: plugin.kind,
      name,
      summary: plugin.summary,
      ...plugin.kind === "stage" ? stageInfo(plugin) : {},
      ...plugin.kind === "source" ? { yields: plugin.yields, endless: plugin.endless } : {},
      options: optionsOf(plugin),
      ..."example" in plugin ? { example: plugin.example } : {},
    }));
    const text = pipeline === undefined ? [] : [{ kind: "pipeline", name, file: pipeline.file, text: pipeline.text }];
    terminal.out(`${JSON.stringify([...shown, ...text], null, 2)}\n`);
    return 0;
  }
  const texts = plugins.map(renderPlugin);
  if (pipeline !== undefined) {
    texts.push(logs.scrubber.text(`pipeline ${name}\n${pipeline.file}\n\n${pipeline.text.replaceAll("\r\n", "\n")}`));
  }
  terminal.out(texts.join("\n"));
  return 0;
};

function stageInfo(stage: AnyStage) {
  const { takes, effect, resume, before = false, onItemFailed = false } = stage;
  return { takes, effect, resume, before, on_item_failed: onItemFailed, facts: factsOf(stage) ?? null };
}
